(** The γ-algebra: exponents are rationals or -infinity, with max for sums and + for products ([Init], section 2). *)
Require Import QArith Qminmax Lqa.
Open Scope Q_scope.

(** [None] is -infinity, the exponent of zero. *)
Definition E := option Q.

Definition emax (x y : E) : E :=
  match x, y with
  | None, _ => y
  | _, None => x
  | Some p, Some q => Some (Qmax p q)
  end.

Definition eplus (x y : E) : E :=
  match x, y with
  | Some p, Some q => Some (p + q)
  | _, _ => None
  end.

(** The update of a factor under a scale-free optimiser: q where there is a gradient, zero where there is none. *)
Definition gate (x : E) (q : Q) : E := match x with None => None | Some _ => Some q end.

(** Equal as exponents: fractions are compared by value. *)
Definition same (x y : E) : Prop :=
  match x, y with
  | None, None => True
  | Some p, Some q => p == q
  | _, _ => False
  end.

Definition at_most (x : E) (q : Q) : Prop := match x with None => True | Some p => p <= q end.
Definition exactly (x : E) (q : Q) : Prop := match x with None => False | Some p => p == q end.

Lemma Qmax_facts x y : x <= Qmax x y /\ y <= Qmax x y /\ (Qmax x y == x \/ Qmax x y == y).
Proof.
  split; [apply Q.le_max_l | split; [apply Q.le_max_r |]].
  destruct (Q.max_spec x y) as [[_ H] | [_ H]]; [right | left]; exact H.
Qed.

Ltac abstract_max x y :=
  let H := fresh in let m := fresh "m" in let e := fresh "e" in
  pose proof (Qmax_facts x y) as H; remember (Qmax x y) as m eqn:e in *; clear e; destruct H as [? [? [? | ?]]].

(** Replaces every maximum by a number of which its three facts are known. *)
Ltac maxima :=
  repeat match goal with
  | _ : context [Qmax ?x ?y] |- _ =>
      abstract_max x y
  | |- context [Qmax ?x ?y] =>
      abstract_max x y
  end.

Ltac exponents := unfold same, at_most, exactly in *; simpl in *; maxima; try tauto; try lra; try (repeat split; lra).

Lemma Qmax_same q : Qmax q q = q.
Proof. unfold Qmax, GenericMinMax.gmax. destruct (q ?= q); reflexivity. Qed.

(** * The laws of a commutative idempotent semiring *)

Theorem emax_comm x y : same (emax x y) (emax y x).
Proof. destruct x, y; exponents. Qed.

Theorem emax_assoc x y z : same (emax (emax x y) z) (emax x (emax y z)).
Proof. destruct x, y, z; exponents. Qed.

Theorem emax_idempotent x : same (emax x x) x.
Proof. destruct x; exponents. Qed.

Theorem emax_none x : same (emax None x) x.
Proof. destruct x; exponents. Qed.

Theorem eplus_comm x y : same (eplus x y) (eplus y x).
Proof. destruct x, y; exponents. Qed.

Theorem eplus_assoc x y z : same (eplus (eplus x y) z) (eplus x (eplus y z)).
Proof. destruct x, y, z; exponents. Qed.

Theorem eplus_zero x : same (eplus (Some 0) x) x.
Proof. destruct x; exponents. Qed.

Theorem eplus_none x : same (eplus None x) None.
Proof. destruct x; exponents. Qed.

Theorem eplus_emax x y z : same (eplus x (emax y z)) (emax (eplus x y) (eplus x z)).
Proof. destruct x, y, z; exponents. Qed.
