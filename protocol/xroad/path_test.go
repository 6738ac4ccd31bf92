package xroad

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestPathRefused(t *testing.T) {
	for _, raw := range []string{
		"a", "/..", "/../x", "/a/../b", "/a/..", "/.", "/a/./b", "/%2e%2e/x", "/%2E%2e", "/.%2e", "/%2e", "/a/..;x=1/b", "/..;/b", "/%2e%2e%3bx",
		"/a%2Fb", "/a%2f..%2fb", "/a%5Cb", "/a\\b", "/a%00", "/%c0%ae%c0%ae/", "/%c0%af", "/%e0%80%af", "/%ff", "/%", "/%2", "/%zz", "/a?b", "/a#b",
		"/%252e%252e/x", "/%252e", "/..%252f..", "/x%252f..%255c..%252f",
		"/a/;x=1/b", "/;", "/a/;", "/%3bx/b", "/%253bx/b", "/%u002e%u002e/", "/..%3bx=1", "/.;/a", "/%2e%3b/a", "/" + strings.Repeat("a", MaxTarget),
	} {
		if p, err := ParsePath(raw); !errors.Is(err, ErrPath) {
			t.Errorf("%.60q passes as %q", raw, p)
		}
	}
	for raw, want := range map[string]string{
		"": "", "/": "/", "/a/b": "/a/b", "/a%20b": "/a b", "/a//b": "/a//b", "//": "//", "/a/": "/a/", "/...": "/...", "/a;b=1": "/a;b=1",
		"/%41": "/A", "/100%25": "/100%", "/a%3Fb": "/a?b", "/%252F": "/%2F", "/..a": "/..a", "/%C3%A9": "/\u00e9",
	} {
		if p, err := ParsePath(raw); err != nil || p.String() != want {
			t.Errorf("%q = %q, %v; want %q", raw, p, err, want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		glob, path string
		want       bool
	}{
		{"**", "", true}, {"***", "/match/anything/%2A", true}, {"**", "/a/b/c", true}, {"/*/", "/a/", true}, {"/*/", "/a/b/", false},
		{"", "", true}, {"", "/", false}, {"/a", "/a", true}, {"/a", "/a/", false}, {"/a", "/ab", false}, {"/a/", "/a", false},
		{"/.^$+{[]|()", "/.^$+{[]|()", true}, {"**/bar/**", "/a/b/c/bar/e/f", true}, {"**/bar/**", "/a/b/c/foo/e/f", false},
		{"/persons/*", "/persons/42", true}, {"/persons/*", "/persons/", true}, {"/persons/*", "/persons/42/acts", false},
		{"/persons/*", "/persons/a%20b", true}, {"/persons/*/acts", "/persons/42/acts", true}, {"/persons/*/acts", "/persons//acts", false},
		{"/persons/*/acts", "/persons///acts", false}, {"/persons//acts", "/persons//acts", true}, {"/persons/**/acts", "/persons//acts", true},
		{"/a/**", "/a/b//c", true}, {"/a/**", "/a", false}, {"/a/**", "/a/", true}, {"/**", "/", true}, {"/**", "", false},
		{"/%2A", "/x", false}, {"/%2A", "/*", true}, {"/%2A", "/%2a", true}, {"/a%20*", "/a%20b", true}, {"/files/.*", "/files/.hidden", true},
		{"/v*/x", "/v1/x", true}, {"/v*/x", "/v1/y/x", false}, {"/**/x/*", "/a/x/b/x/c", true}, {"/a", "/%61", true}, {"/acts/*", "/ACTS/1", false}, {"/acts/*", "/acts/1/", false}, {"/acts/*", "/acts;x=1/1", false}, {"/acts/*", "/acts/1;x=1", true}, {"/acts/1", "/acts/1;x=1", false}, {"/*.json", "/a.json.json", true},
	} {
		g, err := ParseGlob(c.glob)
		if err != nil {
			t.Errorf("%q: %v", c.glob, err)
			continue
		}
		p, err := ParsePath(c.path)
		if err != nil {
			t.Errorf("%q: %v", c.path, err)
			continue
		}
		if got := g.Match(p); got != c.want {
			t.Errorf("%q matches %q = %v", c.glob, c.path, got)
		}
		if g.String() != c.glob {
			t.Errorf("%q says it is %q", c.glob, g)
		}
	}
	for _, bad := range []string{"/../a", "/a/./b", "/a%2Fb", "/%zz", "/a\\b", "/%00", "/%ff", strings.Repeat("*", MaxPattern+1)} {
		if _, err := ParseGlob(bad); !errors.Is(err, ErrPath) {
			t.Errorf("the pattern %.20q passes", bad)
		}
	}
}

// Patterns that make a backtracking matcher slow.
func TestGlobBounded(t *testing.T) {
	g, err := ParseGlob("/" + strings.Repeat("a**", 200) + "b")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePath("/" + strings.Repeat("a", 8000))
	if err != nil {
		t.Fatal(err)
	}
	if g.Match(p) {
		t.Error("matches")
	}
}

func TestRule(t *testing.T) {
	g, _ := ParseGlob("/a/*")
	p, _ := ParsePath("/a/b")
	for method, want := range map[string]bool{"GET": true, "*": true, "": true, "POST": false, "get": false} {
		if (Rule{method, g}).Allows("GET", p) != want {
			t.Errorf("the rule for %q", method)
		}
	}
}

// The matcher agrees with a regular expression made from the same pattern.
func FuzzGlob(f *testing.F) {
	f.Add("/persons/*/acts", "/persons/42/acts")
	f.Add("**/x", "/a//x")
	f.Fuzz(func(t *testing.T, pattern, raw string) {
		if len(pattern) > 100 || len(raw) > 300 {
			return
		}
		g, err := ParseGlob(pattern)
		if err != nil {
			return
		}
		p, err := ParsePath(raw)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, part := range g.parts {
			switch part.kind {
			case globByte:
				b.WriteString(regexp.QuoteMeta(latin([]byte{part.lit})))
			case globStar:
				b.WriteString(`[^/\x00]*`)
			case globAny:
				b.WriteString(`(?s:.*)`)
			}
		}
		re := regexp.MustCompile(`\A(?:` + b.String() + `)\z`)
		if got, want := g.Match(p), re.MatchString(latin([]byte(p.joined))); got != want {
			t.Fatalf("%q matches %q = %v, want %v", pattern, raw, got, want)
		}
	})
}

// latin makes each byte a character, for the regular expression.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
