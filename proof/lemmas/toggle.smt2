; SPDX-License-Identifier: GPL-2.0-only
; The map: __change_bit() of one pair flips its bit and no other. A bit is found in
; word nr / 64 at nr % 64; the words here are those of the two pairs.
(set-logic QF_BV)
(declare-const word (_ BitVec 64))
(declare-const pair (_ BitVec 64))
(declare-const other (_ BitVec 64))
(define-fun at ((nr (_ BitVec 64))) (_ BitVec 64) (bvlshr nr #x0000000000000006))
(define-fun shift ((nr (_ BitVec 64))) (_ BitVec 64) (bvand nr #x000000000000003f))
(define-fun bit ((w (_ BitVec 64)) (nr (_ BitVec 64))) (_ BitVec 64)
	(bvand (bvlshr w (shift nr)) #x0000000000000001))
(define-fun toggled () (_ BitVec 64) (bvxor word (bvshl #x0000000000000001 (shift pair))))
; word is the word that pair is in; other may be in the same one.
(assert (= (at pair) (at other)))
(assert (not (= (bit toggled other)
		(ite (= pair other)
		     (bvxor (bit word other) #x0000000000000001)
		     (bit word other)))))
(check-sat)
