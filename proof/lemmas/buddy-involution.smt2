; SPDX-License-Identifier: GPL-2.0-only
; buddy.c: the buddy of a block is index ^ half, and its buddy is the block.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const order (_ BitVec 64))
(assert (bvule order #x0000000000000008))
(define-fun half () (_ BitVec 64) (bvshl #x0000000000000001 order))
(define-fun buddy ((i (_ BitVec 64))) (_ BitVec 64) (bvxor i half))
(assert (not (and (= (buddy (buddy index)) index) (not (= (buddy index) index)))))
(check-sat)
