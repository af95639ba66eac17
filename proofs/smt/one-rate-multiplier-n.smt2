; With a multiplier of size n the rate n^(-1) is efficient and internally stable.
; init-a: efficient and internally stable for all t >= 3 iff c == -1
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
(declare-fun z0 (Int) E)
(declare-fun zM (Int) E)
(declare-fun b0 (Int) E)
(declare-fun bM (Int) E)
(assert (= (z0 0) (fin 0.0)))
(assert (= (zM 0) ninf))
(assert (= (b0 0) ninf))
(assert (= (bM 0) ninf))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (z0 (+ t 1)) (z0 t))) :pattern ((z0 t)))))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (zM (+ t 1)) (maximum (zM t) (plus (fin (* 1.0 c)) (plus (fin 1.0) (plus (fin 0.0) (unit (plus (fin 1.0) (plus (fin (- (/ 1.0 2.0))) (maximum (plus (bM t) (fin 1.0)) (plus (b0 t) (fin (/ 1.0 2.0))))))))))))) :pattern ((zM t)))))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (b0 (+ t 1)) (b0 t))) :pattern ((b0 t)))))
(assert (forall ((t Int)) (! (=> (>= t 0) (= (bM (+ t 1)) (maximum (bM t) (plus (fin (* 1.0 c)) (unit (plus (fin 1.0) (plus (fin (- (/ 1.0 2.0))) (maximum (zM t) (z0 t))))))))) :pattern ((bM t)))))
; the quantities of step t, from the states before and after it
(define-fun q.zB ((t Int)) E (plus (fin 1.0) (maximum (plus (bM t) (plus (fin 0.0) (maximum (zM t) (z0 t)))) (maximum (plus (b0 t) (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (zM t))) (plus (b0 t) (plus (fin 0.0) (z0 t)))))))
(define-fun q.delta1 ((t Int)) E (plus (fin 1.0) (maximum (plus (bM (- t 1)) (plus (fin 0.0) (maximum (plus (fin (* 1.0 c)) (plus (fin 1.0) (plus (fin 0.0) (unit (plus (fin 1.0) (plus (fin (- (/ 1.0 2.0))) (maximum (plus (bM (- t 1)) (fin 1.0)) (plus (b0 (- t 1)) (fin (/ 1.0 2.0)))))))))) ninf))) (maximum (plus (b0 (- t 1)) (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (plus (fin (* 1.0 c)) (plus (fin 1.0) (plus (fin 0.0) (unit (plus (fin 1.0) (plus (fin (- (/ 1.0 2.0))) (maximum (plus (bM (- t 1)) (fin 1.0)) (plus (b0 (- t 1)) (fin (/ 1.0 2.0)))))))))))) (plus (b0 (- t 1)) (plus (fin 0.0) ninf))))))
(define-fun q.delta2 ((t Int)) E (plus (fin 1.0) (maximum (plus (plus (fin (* 1.0 c)) (unit (plus (fin 1.0) (plus (fin (- (/ 1.0 2.0))) (maximum (zM (- t 1)) (z0 (- t 1))))))) (plus (fin 0.0) (maximum (zM (- t 1)) (z0 (- t 1))))) (maximum (plus ninf (plus (maximum (fin 0.0) (fin (- (/ 1.0 2.0)))) (zM (- t 1)))) (plus ninf (plus (fin 0.0) (z0 (- t 1))))))))
(define-fun q.zA ((t Int)) E (maximum (zM t) (z0 t)))
; induction: a state that is that of step 4 stays so
(assert (=> (and (and (= (z0 4) (z0 4)) (= (zM 4) (zM 4)) (= (b0 4) (b0 4)) (= (bM 4) (bM 4))) (forall ((t Int)) (=> (and (>= t 4) (and (= (z0 t) (z0 4)) (= (zM t) (zM 4)) (= (b0 t) (b0 4)) (= (bM t) (bM 4)))) (and (= (z0 (+ t 1)) (z0 4)) (= (zM (+ t 1)) (zM 4)) (= (b0 (+ t 1)) (b0 4)) (= (bM (+ t 1)) (bM 4))))))
  (forall ((t Int)) (! (=> (>= t 4) (and (= (z0 t) (z0 4)) (= (zM t) (zM 4)) (= (b0 t) (b0 4)) (= (bM t) (bM 4)))) :pattern ((z0 t))))))
; the theorem
(assert (not (= (and (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zB t) 0.0)) :pattern ((z0 t)))) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta1 t) 0.0)) :pattern ((z0 t)))) (forall ((t Int)) (! (=> (>= t 3) (equals (q.delta2 t) 0.0)) :pattern ((z0 t)))) (forall ((t Int)) (! (=> (>= t 1) (atMost (q.zA t) 0.0)) :pattern ((z0 t))))) (= (+ (* 1.0 c) 1.0) 0.0))))
(check-sat)
