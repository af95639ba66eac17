; No rate makes Init[A] efficient and internally stable.
; init-a: efficient and internally stable for all t >= 3 iff never
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
(assert (forall ((t Int)) (! (=> (>= t 0) (and (= (zM (+ t 1)) (maximum (zM t) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM t))))) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 c)) (unit (maximum (zM t) (fin 0.0)))))))) :pattern ((zM (+ t 1))) :pattern ((bM (+ t 1))))))
; its first steps, listed
(assert (and (= (zM 1) (maximum (zM 0) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 0))))) (= (bM 1) (maximum (bM 0) (plus (fin (* 1.0 c)) (unit (maximum (zM 0) (fin 0.0))))))))
(assert (and (= (zM 2) (maximum (zM 1) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 1))))) (= (bM 2) (maximum (bM 1) (plus (fin (* 1.0 c)) (unit (maximum (zM 1) (fin 0.0))))))))
(assert (and (= (zM 3) (maximum (zM 2) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 2))))) (= (bM 3) (maximum (bM 2) (plus (fin (* 1.0 c)) (unit (maximum (zM 2) (fin 0.0))))))))
(assert (and (= (zM 4) (maximum (zM 3) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 3))))) (= (bM 4) (maximum (bM 3) (plus (fin (* 1.0 c)) (unit (maximum (zM 3) (fin 0.0))))))))
(assert (and (= (zM 5) (maximum (zM 4) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 4))))) (= (bM 5) (maximum (bM 4) (plus (fin (* 1.0 c)) (unit (maximum (zM 4) (fin 0.0))))))))
(assert (and (= (zM 6) (maximum (zM 5) (plus (fin (+ (* 1.0 c) 1.0)) (unit (bM 5))))) (= (bM 6) (maximum (bM 5) (plus (fin (* 1.0 c)) (unit (maximum (zM 5) (fin 0.0))))))))
; the quantities of step t, from the states before and after it
(define-fun q.zB ((t Int)) E (plus (bM t) (maximum (zM t) (fin 0.0))))
(define-fun q.delta1 ((t Int)) E (plus (fin (+ (* 1.0 c) 1.0)) (plus (bM (- t 1)) (unit (bM (- t 1))))))
(define-fun q.delta2 ((t Int)) E (plus (fin (* 1.0 c)) (plus (unit (maximum (zM (- t 1)) (fin 0.0))) (maximum (zM (- t 1)) (fin 0.0)))))
(define-fun q.zA ((t Int)) E (maximum (zM t) (fin 0.0)))
; the theorem, if
(push 1)
(assert (and false (not (and (atMost (q.zB 1) 0.0) (atMost (q.zB 2) 0.0) (atMost (q.zB 3) 0.0) (atMost (q.zB 4) 0.0) (atMost (q.zB 5) 0.0) (atMost (q.zB 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))))))
(check-sat)
(pop 1)
; the theorem, if
(push 1)
(assert (and false (not (and (equals (q.delta1 3) 0.0) (equals (q.delta1 4) 0.0) (equals (q.delta1 5) 0.0) (equals (q.delta1 6) 0.0) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta1 t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))))))
(check-sat)
(pop 1)
; the theorem, if
(push 1)
(assert (and false (not (and (equals (q.delta2 3) 0.0) (equals (q.delta2 4) 0.0) (equals (q.delta2 5) 0.0) (equals (q.delta2 6) 0.0) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta2 t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))))))
(check-sat)
(pop 1)
; the theorem, if
(push 1)
(assert (and false (not (and (atMost (q.zA 1) 0.0) (atMost (q.zA 2) 0.0) (atMost (q.zA 3) 0.0) (atMost (q.zA 4) 0.0) (atMost (q.zA 5) 0.0) (atMost (q.zA 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zA t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))))))
(check-sat)
(pop 1)
; the theorem, only if
(push 1)
(assert (and (and (and (atMost (q.zB 1) 0.0) (atMost (q.zB 2) 0.0) (atMost (q.zB 3) 0.0) (atMost (q.zB 4) 0.0) (atMost (q.zB 5) 0.0) (atMost (q.zB 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))) (and (equals (q.delta1 3) 0.0) (equals (q.delta1 4) 0.0) (equals (q.delta1 5) 0.0) (equals (q.delta1 6) 0.0) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta1 t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))) (and (equals (q.delta2 3) 0.0) (equals (q.delta2 4) 0.0) (equals (q.delta2 5) 0.0) (equals (q.delta2 6) 0.0) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta2 t) 0.0)) :pattern ((zM t)) :pattern ((bM t))))) (and (atMost (q.zA 1) 0.0) (atMost (q.zA 2) 0.0) (atMost (q.zA 3) 0.0) (atMost (q.zA 4) 0.0) (atMost (q.zA 5) 0.0) (atMost (q.zA 6) 0.0) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zA t) 0.0)) :pattern ((zM t)) :pattern ((bM t)))))) (not false)))
(check-sat)
(pop 1)
