(** The recursion of one adapted layer at fixed rank under sign or Adam updates, and its theorems, for all t. *)
Require Import QArith Qminmax Lqa Lia.
From LoraScaling Require Import Gamma.
Open Scope Q_scope.

Section Layer.

(** γ[A₀ Z], γ[B₀], and the exponents of the two rates. *)
Variables (a0 b0 : E) (cA cB : Q).

(** The parts of Z_A and of B that training has added after t steps. *)
Fixpoint state (t : nat) : E * E :=
  match t with
  | O => (None, None)
  | S t => let (z, b) := state t in (emax z (gate (emax b b0) (cA + 1)), emax b (gate (emax z a0) cB))
  end.

Definition zA (t : nat) : E := emax (fst (state t)) a0.
Definition B (t : nat) : E := emax (snd (state t)) b0.
Definition zB (t : nat) : E := eplus (B t) (zA t).

(** The parts of the change in step t: B_(t-1) ΔZ_A, ΔB Z_A^(t-1) and ΔB ΔZ_A. *)
Definition delta1 (t : nat) : E := eplus (B (t - 1)) (gate (B (t - 1)) (cA + 1)).
Definition delta2 (t : nat) : E := eplus (gate (zA (t - 1)) cB) (zA (t - 1)).
Definition delta3 (t : nat) : E := eplus (gate (zA (t - 1)) cB) (gate (B (t - 1)) (cA + 1)).
Definition change (t : nat) : E := emax (delta1 t) (emax (delta2 t) (delta3 t)).

Definition stable : Prop := forall t, (1 <= t)%nat -> at_most (zB t) 0.
Definition internally_stable : Prop := stable /\ forall t, (1 <= t)%nat -> at_most (zA t) 0.
Definition efficient (from : nat) : Prop :=
  stable /\ forall t, (from <= t)%nat -> exactly (delta1 t) 0 /\ exactly (delta2 t) 0.
Definition learns (from : nat) : Prop := forall t, (from <= t)%nat -> exactly (change t) 0.

End Layer.

(** By induction: from the second step on the state is what the rates say, unless both starts are zero. *)
Lemma settled a0 b0 cA cB :
  a0 <> None \/ b0 <> None -> forall t, state a0 b0 cA cB (S (S t)) = (Some (cA + 1), Some cB).
Proof.
  intros H t. induction t as [| t IH].
  - destruct a0, b0; try (destruct H; congruence); cbn [state emax gate];
      rewrite ?Qmax_same; cbn [emax gate]; rewrite ?Qmax_same; reflexivity.
  - change (state a0 b0 cA cB (S (S (S t)))) with
      (let (z, b) := state a0 b0 cA cB (S (S t)) in (emax z (gate (emax b b0) (cA + 1)), emax b (gate (emax z a0) cB))).
    rewrite IH. destruct a0, b0; cbn [emax gate]; rewrite !Qmax_same; reflexivity.
Qed.

Lemma settled_a q b0 cA cB t : state (Some q) b0 cA cB (S (S t)) = (Some (cA + 1), Some cB).
Proof. apply settled. left. congruence. Qed.

Lemma settled_b a0 q cA cB t : state a0 (Some q) cA cB (S (S t)) = (Some (cA + 1), Some cB).
Proof. apply settled. right. congruence. Qed.

(** Reads all statements about a step: the first two as they are, later ones settled. *)
Ltac step t :=
  destruct t as [| [| [| t]]]; try lia;
  unfold internally_stable, efficient, stable, learns, change, zB, delta1, delta2, delta3, zA, B in *;
  cbn [Nat.sub] in *; rewrite ?Nat.sub_0_r in *;
  rewrite ?settled_a, ?settled_b in *;
  exponents.

(** Uses a hypothesis about all steps at the first three. *)
Ltac instances H := pose proof (H 1%nat); pose proof (H 2%nat); pose proof (H 3%nat).

Ltac read :=
  unfold internally_stable, efficient, stable, learns, change, zB, delta1, delta2, delta3, zA, B in *;
  repeat match goal with
  | H : _ /\ _ |- _ => destruct H
  | H : forall t, (?k <= t)%nat -> _ |- _ => instances H; clear H
  end;
  repeat match goal with
  | H : (?k <= ?m)%nat -> _ |- _ => first [specialize (H ltac:(lia)) | clear H]
  end;
  repeat match goal with H : _ /\ _ |- _ => destruct H end;
  cbn [Nat.sub] in *; rewrite ?settled_a, ?settled_b in *; exponents.

Notation initA := (Some 0) (only parsing).
Notation half := (1 # 2) (only parsing).

(** * [Init] Theorem 1: Init[A] *)

Theorem init_a_stable c : stable (Some 0) None c c <-> c <= - half.
Proof. split; intro H; [read | intros t Ht; step t]. Qed.

Theorem init_a_learns c : learns (Some 0) None c c 2 <-> c == - half.
Proof. split; intro H; [read | intros t Ht; step t]. Qed.

Theorem init_a_efficient c : efficient (Some 0) None c c 3 <-> c == - half.
Proof. split; intro H; [read | split; [| intros t Ht; split]; try (intros t Ht); step t]. Qed.

Theorem init_a_inefficient_second_step c : ~ efficient (Some 0) None c c 2.
Proof. intro H; read. Qed.

Theorem init_a_internal_bound c : internally_stable (Some 0) None c c <-> c <= - 1.
Proof. split; intro H; [read | split; intros t Ht; step t]. Qed.

(** * [Init] Theorem 2: Init[B] *)

Theorem init_b_stable c : internally_stable None (Some 0) c c <-> c <= - 1.
Proof. split; intro H; [read | split; intros t Ht; step t]. Qed.

Theorem init_b_learns c : learns None (Some 0) c c 1 <-> c == - 1.
Proof. split; intro H; [read | intros t Ht; step t]. Qed.

Theorem init_b_never_efficient c : ~ efficient None (Some 0) c c 3.
Proof. intro H; read. Qed.

(** * [LoRA+]: one rate is never efficient and internally stable, two rates are *)

Theorem one_rate_never_both a0 b0 c :
  a0 <> None \/ b0 <> None -> ~ (efficient a0 b0 c c 3 /\ internally_stable a0 b0 c c).
Proof. intros _ H. destruct a0, b0; read. Qed.

Theorem lora_plus_init_a : efficient (Some 0) None (- 1) 0 2 /\ internally_stable (Some 0) None (- 1) 0.
Proof. repeat split; try (intros t Ht); try split; step t. Qed.

Theorem lora_plus_init_b : efficient None (Some 0) (- 1) 0 2 /\ internally_stable None (Some 0) (- 1) 0.
Proof. repeat split; try (intros t Ht); try split; step t. Qed.

(** * The general phase diagram and the efficient segment and rays *)

Theorem phase_diagram a b cA cB :
  stable (Some a) (Some b) cA cB <-> a + b <= 0 /\ a + cB <= 0 /\ b + cA <= - 1 /\ cA + cB <= - 1.
Proof. split; intro H; [read | intros t Ht; step t]. Qed.

Theorem efficient_segment a b cA cB :
  efficient (Some a) (Some b) cA cB 3 <-> cA + cB == - 1 /\ a - 1 <= cA /\ cA <= - 1 - b.
Proof. split; intro H; [read | split; [| intros t Ht; split]; try (intros t Ht); step t]. Qed.

Theorem efficient_ray_init_a cA cB : efficient (Some 0) None cA cB 3 <-> cA + cB == - 1 /\ - 1 <= cA.
Proof. split; intro H; [read | split; [| intros t Ht; split]; try (intros t Ht); step t]. Qed.

Theorem efficient_ray_init_b cA cB : efficient None (Some 0) cA cB 3 <-> cA + cB == - 1 /\ 0 <= cB.
Proof. split; intro H; [read | split; [| intros t Ht; split]; try (intros t Ht); step t]. Qed.

(** Nothing is assumed: each line must read "Closed under the global context". *)
Print Assumptions init_a_stable.
Print Assumptions init_a_learns.
Print Assumptions init_a_efficient.
Print Assumptions init_a_inefficient_second_step.
Print Assumptions init_a_internal_bound.
Print Assumptions init_b_stable.
Print Assumptions init_b_learns.
Print Assumptions init_b_never_efficient.
Print Assumptions one_rate_never_both.
Print Assumptions lora_plus_init_a.
Print Assumptions lora_plus_init_b.
Print Assumptions phase_diagram.
Print Assumptions efficient_segment.
Print Assumptions efficient_ray_init_a.
Print Assumptions efficient_ray_init_b.
