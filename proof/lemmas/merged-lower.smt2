; SPDX-License-Identifier: GPL-2.0-only
; buddy.c, __pmm_coalesce(): the merged block begins at the lower of the two, is
; aligned to its order, and has exactly the pages of both.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const page (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(define-fun half () (_ BitVec 64) (bvshl #x0000000000000001 order))
(define-fun below () (_ BitVec 64) (bvsub half #x0000000000000001))
(define-fun buddy () (_ BitVec 64) (bvxor index half))
(assert (= (bvand index below) #x0000000000000000))
; __pmm_coalesce() goes to the buddy when index & half, else it stays.
(define-fun merged () (_ BitVec 64)
	(ite (= (bvand index half) #x0000000000000000) index (bvsub index half)))
(define-fun in ((b (_ BitVec 64)) (size (_ BitVec 64))) Bool (bvult (bvsub page b) size))
(assert (not (and (= merged (ite (bvult index buddy) index buddy))
		  (= (bvand merged (bvor below half)) #x0000000000000000)
		  (= (in merged (bvshl half #x0000000000000001))
		     (xor (in index half) (in buddy half))))))
(check-sat)
