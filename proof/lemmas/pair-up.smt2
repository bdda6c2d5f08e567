; SPDX-License-Identifier: GPL-2.0-only
; buddy.c, __pmm_coalesce(): 'pair >>= 1' an order keeps pair == index >> (1 + order),
; which is also the pair of the merged block.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(define-fun next () (_ BitVec 64) (bvadd #x0000000000000001 order))
(define-fun block () (_ BitVec 64) (bvshl (bvlshr index order) order))
(assert (not (and (= (bvlshr (bvlshr index order) #x0000000000000001) (bvlshr index next))
		  (= (bvlshr block next) (bvlshr index next)))))
(check-sat)
