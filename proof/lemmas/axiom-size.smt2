; SPDX-License-Identifier: GPL-2.0-only
; pairs.acsl, axiom size: block number p of order n begins at p * 2^n; here for n = @ORDER@,
; and for all integers.
(set-logic QF_LIA)
(define-fun P () Int @SIZE@)
(define-fun lower ((p Int)) Int (* 2 @SIZE@ p))
(define-fun upper ((p Int)) Int (+ (* 2 @SIZE@ p) @SIZE@))
(declare-const p Int)
(declare-const q Int)
(assert (and (<= 0 p) (<= 0 q)))
; Orders 1 to 9 are those of 2 * P.
(assert (not (and (<= 1 P 512) (<= 1 (* 2 P) 512))))
(check-sat)
