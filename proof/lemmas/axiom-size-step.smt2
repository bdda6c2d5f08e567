; SPDX-License-Identifier: GPL-2.0-only
; pairs.acsl, axiom size_step: block number p of order n begins at p * 2^n; here for n = @ORDER@,
; and for all integers.
(set-logic ALL)
(define-fun P () Int @SIZE@)
(define-fun lower ((p Int)) Int (* 2 @SIZE@ p))
(define-fun upper ((p Int)) Int (+ (* 2 @SIZE@ p) @SIZE@))
(declare-const p Int)
(declare-const q Int)
(assert (and (<= 0 p) (<= 0 q)))
; P of the next order, as the machine shifts it.
(assert (not (= (bv2nat (bvshl #x0000000000000002 #x000000000000000@ORDER@)) (* 2 P))))
(check-sat)
