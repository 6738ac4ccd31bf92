package problem

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestFromHidesStrangers(t *testing.T) {
	p := From(io.ErrUnexpectedEOF)
	if p.Kind != Internal || p.Code != "internal" || !errors.Is(p, io.ErrUnexpectedEOF) {
		t.Errorf("From(stranger) = %+v", p)
	}
}

func TestFromFindsWrapped(t *testing.T) {
	err := fmt.Errorf("reading: %w", Wrap(io.EOF, NotFound, "x.not_found", "id", "7"))
	p := From(err)
	if p.Code != "x.not_found" || p.Args["id"] != "7" || !Is(err, NotFound) || Is(nil, Internal) {
		t.Errorf("From(wrapped) = %+v", p)
	}
}

func TestEveryKindHasItsStatus(t *testing.T) {
	seen := map[int]Kind{}
	for k := Internal; k <= Unavailable; k++ {
		s := k.Status()
		if other, ok := seen[s]; ok {
			t.Errorf("kinds %d and %d share status %d", k, other, s)
		}
		seen[s] = k
	}
}
