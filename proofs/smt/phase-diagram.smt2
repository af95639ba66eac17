; Two rates, any starts: where the features stay bounded is a polygon of four sides.
; init-ab: stable for all t iff a0 + b0 <= 0 and a0 + cB <= 0 and b0 + cA <= -1 and cA + cB <= -1
(set-logic ALL)
; an exponent: -infinity or a real number
(declare-datatype E ((ninf) (fin (val Real))))
(define-fun plus ((x E) (y E)) E (ite (or (= x ninf) (= y ninf)) ninf (fin (+ (val x) (val y)))))
(define-fun maximum ((x E) (y E)) E (ite (= x ninf) y (ite (= y ninf) x (ite (<= (val x) (val y)) y x))))
(define-fun unit ((x E)) E (ite (= x ninf) ninf (fin 0.0)))
(define-fun atMost ((x E) (q Real)) Bool (or (= x ninf) (<= (val x) q)))
(define-fun equals ((x E) (q Real)) Bool (and (not (= x ninf)) (= (val x) q)))
(declare-const a0 Real)
(declare-const b0 Real)
(declare-const cA Real)
(declare-const cB Real)
; the state at step t
(declare-fun zM (Int) E)
(declare-fun bM (Int) E)
(assert (= (zM 0) ninf))
(assert (= (bM 0) ninf))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (zM (+ t 1)) (maximum (zM t) (plus (fin (+ (* 1.0 cA) 1.0)) (unit (maximum (plus (fin 1.0) (bM t)) (fin (+ (* 1.0 b0) (/ 1.0 2.0))))))))) :pattern ((zM t)))))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 cB)) (unit (maximum (zM t) (fin (* 1.0 a0)))))))) :pattern ((bM t)))))
; the quantities of step t, from the states before and after it
(define-fun q.zB ((t Int)) E (maximum (plus (bM t) (maximum (zM t) (fin (* 1.0 a0)))) (maximum (plus (fin (* 1.0 b0)) (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (zM t))) (fin (+ (* 1.0 a0) (* 1.0 b0))))))
; induction: a state that is that of step 3 stays so
(assert (=> (and (and (= (zM 3) (zM 3)) (= (bM 3) (bM 3))) (forall ((t Int)) (=> (and (>= t 3) (and (= (zM t) (zM 3)) (= (bM t) (bM 3)))) (and (= (zM (+ t 1)) (zM 3)) (= (bM (+ t 1)) (bM 3))))))
  (forall ((t Int)) (! (=> (>= t 3) (and (= (zM t) (zM 3)) (= (bM t) (bM 3)))) :pattern ((zM t))))))
; the theorem
(assert (not (= (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((zM t)))) (and (<= (+ (* 1.0 a0) (* 1.0 b0)) 0.0) (<= (+ (* 1.0 a0) (* 1.0 cB)) 0.0) (<= (+ (* 1.0 b0) (* 1.0 cA) 1.0) 0.0) (<= (+ (* 1.0 cA) (* 1.0 cB) 1.0) 0.0)))))
(check-sat)
