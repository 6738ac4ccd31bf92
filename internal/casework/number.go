package casework

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// numberLetters leaves out those that are taken for one another when they are
// read aloud or copied by hand. They are 31, a prime: so the check letter finds
// every wrong letter and every two that were exchanged.
const numberLetters = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"

// NewNumber returns the number of a case as a receipt prints it: the year, and
// eleven letters and digits by chance with a twelfth that finds one wrong or two
// exchanged. Nobody can guess the number of somebody else's case.
func NewNumber(year int) string {
	var s [12]byte
	for i := 0; i < 11; {
		var b [1]byte
		rand.Read(b[:])
		if x := int(b[0] & 31); x < len(numberLetters) { // each letter as likely as any other
			s[i] = numberLetters[x]
			i++
		}
	}
	s[11] = checkLetter(string(s[:11]))
	return fmt.Sprintf("%04d-%s-%s-%s", year, s[:4], s[4:8], s[8:])
}

// checkLetter weighs each place differently, modulo the number of letters.
func checkLetter(s string) byte {
	sum := 0
	for i := range len(s) {
		sum += (i + 2) * strings.IndexByte(numberLetters, s[i])
	}
	return numberLetters[sum%len(numberLetters)]
}

// ReadNumber returns a number as it was printed from what a person typed, and
// whether it can be one.
func ReadNumber(typed string) (string, bool) {
	s := strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ' || r == '\u00a0' || r == '\u200f' || r == '\u200e':
			return -1
		case r >= '\u0660' && r <= '\u0669':
			return '0' + r - '\u0660'
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
	if len(s) != 16 || strings.Trim(s[:4], "0123456789") != "" || strings.Trim(s[4:], numberLetters) != "" {
		return "", false
	}
	if checkLetter(s[4:15]) != s[15] {
		return "", false
	}
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:], true
}
