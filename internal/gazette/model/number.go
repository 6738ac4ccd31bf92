package model

import "strings"

// Number is the number of an act in one form for both languages: parts with
// hyphens ("1-20-06", "55-19"), Latin digits, zeros as printed. "" is none.
type Number string

// Parts returns what stands between the hyphens.
func (n Number) Parts() []string {
	if n == "" {
		return nil
	}
	return strings.Split(string(n), "-")
}

// Key brings numbers that differ only in leading zeros together: "1-20-06" and
// "1-20-6" name one act. It is for comparing, never for showing.
func (n Number) Key() string {
	parts := n.Parts()
	for i, p := range parts {
		if t := strings.TrimLeft(p, "0"); t != "" {
			parts[i] = t
		} else if p != "" {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, "-")
}
