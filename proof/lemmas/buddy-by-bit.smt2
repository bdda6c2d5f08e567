; SPDX-License-Identifier: GPL-2.0-only
; buddy.c, __pmm_coalesce(): 'index & half ? -half : half' goes to the buddy of the
; merged block, whose index is index with the bits below order cleared.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(define-fun half () (_ BitVec 64) (bvshl #x0000000000000001 order))
(define-fun block () (_ BitVec 64) (bvshl (bvlshr index order) order))
(define-fun step () (_ BitVec 64) (ite (= (bvand index half) #x0000000000000000) half (bvneg half)))
(assert (not (= (bvadd block step) (bvxor block half))))
(check-sat)
