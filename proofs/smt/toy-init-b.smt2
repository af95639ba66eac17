; Gradient descent on the toy from Init[B]: bounded exactly for rates up to n^(-1), by its first step.
; toy-init-b: stable for all t iff c <= -1
(set-logic ALL)
; an exponent: -infinity or a real number
(declare-datatype E ((ninf) (fin (val Real))))
(define-fun plus ((x E) (y E)) E (ite (or (= x ninf) (= y ninf)) ninf (fin (+ (val x) (val y)))))
(define-fun maximum ((x E) (y E)) E (ite (= x ninf) y (ite (= y ninf) x (ite (<= (val x) (val y)) y x))))
(define-fun unit ((x E)) E (ite (= x ninf) ninf (fin 0.0)))
(define-fun atMost ((x E) (q Real)) Bool (or (= x ninf) (<= (val x) q)))
(define-fun equals ((x E) (q Real)) Bool (and (not (= x ninf)) (= (val x) q)))
(define-fun size ((x Real)) Real (ite (< x 0.0) (- x) x))
(declare-const c Real)
; the state at step t
(declare-fun zM (Int) E)
(declare-fun bM (Int) E)
(assert (= (zM 0) ninf))
(assert (= (bM 0) ninf))
(assert (forall ((t Int)) (! (=> (>= t 0) (and (= (zM (+ t 1)) (maximum (zM t) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM t) (fin 0.0))))) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 c)) (zM t)))))) :pattern ((zM (+ t 1))) :pattern ((bM (+ t 1))))))
; its first steps, listed
(assert (and (= (zM 1) (maximum (zM 0) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 0) (fin 0.0))))) (= (bM 1) (maximum (bM 0) (plus (fin (* 1.0 c)) (zM 0))))))
(assert (and (= (zM 2) (maximum (zM 1) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 1) (fin 0.0))))) (= (bM 2) (maximum (bM 1) (plus (fin (* 1.0 c)) (zM 1))))))
(assert (and (= (zM 3) (maximum (zM 2) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 2) (fin 0.0))))) (= (bM 3) (maximum (bM 2) (plus (fin (* 1.0 c)) (zM 2))))))
(assert (and (= (zM 4) (maximum (zM 3) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 3) (fin 0.0))))) (= (bM 4) (maximum (bM 3) (plus (fin (* 1.0 c)) (zM 3))))))
(assert (and (= (zM 5) (maximum (zM 4) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 4) (fin 0.0))))) (= (bM 5) (maximum (bM 4) (plus (fin (* 1.0 c)) (zM 4))))))
(assert (and (= (zM 6) (maximum (zM 5) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM 5) (fin 0.0))))) (= (bM 6) (maximum (bM 5) (plus (fin (* 1.0 c)) (zM 5))))))
; the quantities of step t, from the states before and after it
(define-fun q.zB ((t Int)) E (maximum (plus (bM t) (zM t)) (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (zM t))))
; induction: a state that is that of step 4 stays so
(assert (=> (and (and (= (zM 4) (zM 4)) (= (bM 4) (bM 4))) (forall ((t Int)) (=> (and (>= t 4) (and (= (zM t) (zM 4)) (= (bM t) (bM 4))) (and (= (zM (+ t 1)) (maximum (zM t) (plus (fin (+ (* 1.0 c) 1.0)) (maximum (bM t) (fin 0.0))))) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 c)) (zM t)))))) (and (= (zM (+ t 1)) (zM 4)) (= (bM (+ t 1)) (bM 4))))))
  (forall ((t Int)) (! (=> (>= t 4) (and (= (zM t) (zM 4)) (= (bM t) (bM 4)))) :pattern ((zM t)) :pattern ((bM t))))))
; the theorem, if
(push 1)
(assert (and (<= (+ (* 1.0 c) 1.0) 0.0) (not (and (atMost (q.zB 1) 0.0) (atMost (q.zB 2) 0.0) (atMost (q.zB 3) 0.0) (atMost (q.zB 4) 0.0) (atMost (q.zB 5) 0.0) (atMost (q.zB 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))))))
(check-sat)
(pop 1)
; the theorem, only if
(push 1)
(assert (and (and (atMost (q.zB 1) 0.0) (atMost (q.zB 2) 0.0) (atMost (q.zB 3) 0.0) (atMost (q.zB 4) 0.0) (atMost (q.zB 5) 0.0) (atMost (q.zB 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))) (not (<= (+ (* 1.0 c) 1.0) 0.0))))
(check-sat)
(pop 1)
