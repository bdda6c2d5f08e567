; SPDX-License-Identifier: GPL-2.0-only
; bulk.c, __pmm_take_run(): whole = min(high, low + __fls(nr)) lies between low and
; high, and gives no more than nr blocks.
(set-logic QF_BV)
(declare-const nr (_ BitVec 64))
(declare-const low (_ BitVec 64))
(declare-const high (_ BitVec 64))
(declare-const fls (_ BitVec 64))
(assert (bvule low high))
(assert (bvule high #x0000000000000009))
(assert (bvult fls #x0000000000000040))
(assert (= (bvlshr nr fls) #x0000000000000001))
(define-fun whole () (_ BitVec 64)
	(ite (bvult high (bvadd low fls)) high (bvadd low fls)))
(assert (not (and (bvule low whole) (bvule whole high)
		  (bvule (bvshl #x0000000000000001 (bvsub whole low)) nr))))
(check-sat)
