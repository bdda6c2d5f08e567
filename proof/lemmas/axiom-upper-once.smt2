; SPDX-License-Identifier: GPL-2.0-only
; pairs.acsl, axiom upper_once: block number p of order n begins at p * 2^n; here for n = @ORDER@,
; and for all integers.
(set-logic QF_LIA)
(define-fun P () Int @SIZE@)
(define-fun lower ((p Int)) Int (* 2 @SIZE@ p))
(define-fun upper ((p Int)) Int (+ (* 2 @SIZE@ p) @SIZE@))
(declare-const p Int)
(declare-const q Int)
(assert (and (<= 0 p) (<= 0 q)))
(assert (not (=> (= (upper p) (upper q)) (= p q))))
(check-sat)
