; SPDX-License-Identifier: GPL-2.0-only
; page.h, pmm_nr_pairs(): DIV_ROUND_UP(nr_pages, 2UL << order) has room for the
; pair of each page, and for no more than one page could need.
(set-logic QF_BV)
(declare-const index (_ BitVec 64))
(declare-const nr_pages (_ BitVec 64))
(assert (bvult nr_pages #x0001000000000000))
(assert (bvult index nr_pages))
(define-fun order () (_ BitVec 64) #x000000000000000@ORDER@)
(define-fun size () (_ BitVec 64) (bvshl #x0000000000000002 order))
(define-fun nr_pairs () (_ BitVec 64)
	(bvudiv (bvsub (bvadd nr_pages size) #x0000000000000001) size))
(define-fun pair ((i (_ BitVec 64))) (_ BitVec 64)
	(bvlshr i (bvadd #x0000000000000001 order)))
(assert (not (and (bvult (pair index) nr_pairs)
		  (= (pair (bvsub nr_pages #x0000000000000001))
		     (bvsub nr_pairs #x0000000000000001)))))
(check-sat)
