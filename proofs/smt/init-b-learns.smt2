; Init[B] changes its features by Θ(1) in every step exactly at n^(-1).
; init-b: feature learning for all t iff c == -1
(set-logic ALL)
; an exponent: -infinity or a real number
(declare-datatype E ((ninf) (fin (val Real))))
(define-fun plus ((x E) (y E)) E (ite (or (= x ninf) (= y ninf)) ninf (fin (+ (val x) (val y)))))
(define-fun maximum ((x E) (y E)) E (ite (= x ninf) y (ite (= y ninf) x (ite (<= (val x) (val y)) y x))))
(define-fun unit ((x E)) E (ite (= x ninf) ninf (fin 0.0)))
(define-fun atMost ((x E) (q Real)) Bool (or (= x ninf) (<= (val x) q)))
(define-fun equals ((x E) (q Real)) Bool (and (not (= x ninf)) (= (val x) q)))
(declare-const c Real)
; the state at step t
(declare-fun zM (Int) E)
(declare-fun bM (Int) E)
(assert (= (zM 0) ninf))
(assert (= (bM 0) ninf))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (zM (+ t 1)) (maximum (zM t) (plus (fin (+ (* 1.0 c) 1.0)) (unit (maximum (plus (fin 1.0) (bM t)) (fin (/ 1.0 2.0)))))))) :pattern ((zM t)))))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 c)) (unit (zM t)))))) :pattern ((bM t)))))
; the quantities of step t, from the states before and after it
(define-fun q.deltaZB ((t Int)) E (maximum (plus (fin (+ (* 1.0 c) 1.0)) (plus (bM (- t 1)) (unit (maximum (plus (fin 1.0) (bM (- t 1))) (fin (/ 1.0 2.0)))))) (maximum (plus (fin (+ (* 1.0 c) 1.0)) (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (unit (maximum (plus (fin 1.0) (bM (- t 1))) (fin (/ 1.0 2.0)))))) (maximum (plus (fin (* 1.0 c)) (plus (unit (zM (- t 1))) (zM (- t 1)))) (plus (fin (+ (* 2.0 c) 1.0)) (plus (unit (zM (- t 1))) (unit (maximum (plus (fin 1.0) (bM (- t 1))) (fin (/ 1.0 2.0))))))))))
; induction: a state that is that of step 4 stays so
(assert (=> (and (and (= (zM 4) (zM 4)) (= (bM 4) (bM 4))) (forall ((t Int)) (=> (and (>= t 4) (and (= (zM t) (zM 4)) (= (bM t) (bM 4)))) (and (= (zM (+ t 1)) (zM 4)) (= (bM (+ t 1)) (bM 4))))))
  (forall ((t Int)) (! (=> (>= t 4) (and (= (zM t) (zM 4)) (= (bM t) (bM 4)))) :pattern ((zM t))))))
; the theorem
(assert (not (= (forall ((t Int)) (! (=> (>= t 1) (equals (q.deltaZB t) 0.0)) :pattern ((zM t)))) (= (+ (* 1.0 c) 1.0) 0.0))))
(check-sat)
