; SPDX-License-Identifier: GPL-2.0-only
; zone.h, PMM_STATE(): kind and order come back from the byte, and it is PMM_TAIL
; only for a kind and order of 0.
(set-logic QF_BV)
(declare-const kind (_ BitVec 32))
(declare-const order (_ BitVec 32))
(assert (bvule kind #x00000005))
(assert (bvule order #x00000009))
(define-fun state () (_ BitVec 8)
	((_ extract 7 0) (bvor (bvshl kind #x00000004) order)))
(define-fun int () (_ BitVec 32) ((_ zero_extend 24) state))
(assert (not (and (= (bvlshr int #x00000004) kind) (= (bvand int #x0000000f) order)
		  (= (= state #x00) (and (= kind #x00000000) (= order #x00000000))))))
(check-sat)
