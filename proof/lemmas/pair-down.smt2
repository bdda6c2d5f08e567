; SPDX-License-Identifier: GPL-2.0-only
; buddy.c, __pmm_expand(): 'pair = 2 * pair + upper' an order keeps pair equal to
; block.index >> (1 + order), for either half; at the start it is index >> high.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const pair (_ BitVec 64))
(declare-const upper (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(assert (bvule upper #x0000000000000001))
(define-fun half () (_ BitVec 64) (bvshl #x0000000000000001 order))
; The block of order + 1 is aligned, and pair is its pair at the order below it.
(assert (= (bvand index (bvsub (bvshl half #x0000000000000001) #x0000000000000001))
	   #x0000000000000000))
(assert (= pair (bvlshr index (bvadd #x0000000000000001 order))))
(define-fun goes_on () (_ BitVec 64)
	(ite (= upper #x0000000000000001) (bvadd index half) index))
(define-fun kept () (_ BitVec 64)
	(ite (= upper #x0000000000000001) index (bvadd index half)))
(assert (not (and (= (bvadd (bvmul #x0000000000000002 pair) upper) (bvlshr goes_on order))
		  (= (bvlshr kept (bvadd #x0000000000000001 order)) pair)
		  (= (bvlshr goes_on (bvadd #x0000000000000001 order)) pair))))
(check-sat)
