package akn

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestBoundTags(t *testing.T) {
	for _, c := range []struct {
		s  string
		ok bool
	}{
		{`<a b="1">` + strings.Repeat("x", 90) + `</a>`, true},
		{`<a>` + strings.Repeat("x", 101) + `</a>`, false},
		{`<a b="` + strings.Repeat("x", 30) + `"/>`, false},
		{`<a ` + strings.Repeat(`b=">" `, 9) + `/>`, false},
		{`<a ` + strings.Repeat(`b='>' `, 2) + `/>`, true},
		{strings.Repeat(`<a b="1"/>`, 50), true},
		{`<!-- it's > "` + strings.Repeat("x", 80) + ` --><a/>`, true},
		{`<!--` + strings.Repeat("x > ", 40) + `--><a/>`, false},
		{`<!--->` + strings.Repeat("x", 120), false},
		{`<a><![CDATA[ b < c ' > ` + strings.Repeat("<", 70) + `]]></a>`, true},
		{`<a><![CDATA[` + strings.Repeat("<b>", 40) + `]]></a>`, false},
		{`<?xml version="1.0"?><!DOCTYPE a><a/>`, true},
	} {
		got, err := io.ReadAll(BoundTags(strings.NewReader(c.s), 24, 100))
		if (err == nil) != c.ok || c.ok && string(got) != c.s || !c.ok && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%.40q: %v", c.s, err)
		}
	}
	many := `<akomaNtoso ` + strings.Repeat(`a="" `, 20_000) + `/>`
	if _, err := Parse([]byte(many), DefaultLimits); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a tag of %d bytes: %v", len(many), err)
	}
}
