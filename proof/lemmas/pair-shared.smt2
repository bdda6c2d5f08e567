; SPDX-License-Identifier: GPL-2.0-only
; zone.h: a block and its buddy share the bit index >> (1 + order), and no third
; block of the order has it.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const other (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(define-fun half () (_ BitVec 64) (bvshl #x0000000000000001 order))
(define-fun below () (_ BitVec 64) (bvsub half #x0000000000000001))
(define-fun pair ((i (_ BitVec 64))) (_ BitVec 64)
	(bvlshr i (bvadd #x0000000000000001 order)))
(assert (= (bvand index below) #x0000000000000000))
(assert (= (bvand other below) #x0000000000000000))
(assert (not (= (= (pair index) (pair other))
		(or (= other index) (= other (bvxor index half))))))
(check-sat)
