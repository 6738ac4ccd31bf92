package search

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// shape writes a query's tree in brackets.
func (n *node) shape() string {
	if n == nil {
		return ""
	}
	var kids []string
	for _, k := range n.kids {
		kids = append(kids, k.shape())
	}
	all := strings.Join(kids, " ")
	switch n.op {
	case opSoft:
		if n.loose {
			return "?" + strings.Join(n.words, ",")
		}
		return strings.Join(n.words, ",")
	case opPhrase:
		return fmt.Sprintf("%q", n.words[0])
	case opNear:
		return fmt.Sprintf("(near%d %s)", n.near, all)
	case opField:
		return n.field + "=" + n.value
	case opAnd:
		return "(and " + all + ")"
	case opOr:
		return "(or " + all + ")"
	}
	return "(not " + all + ")"
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"", ""},
		{"   ", ""},
		{"congé de maternité", "?congé,de,maternité"},
		{"loi 55-19", "?loi,55-19"},
		{`"congé payé" salarié`, `(and "congé payé" ?salarié)`},
		{"a AND b", "(and a b)"},
		{"a b AND c", "(and a,b c)"},
		{"a OR b AND c", "(or a (and b c))"},
		{"(a OR b) c", "(and (or a b) ?c)"},
		{"a -b", "(and (not b) ?a)"},
		{"a NOT b", "(and (not b) ?a)"},
		{"+a b", "(and (and a) ?b)"},
		{"a NEAR b", "(near10 a b)"},
		{`a NEAR/3 "b c"`, `(near3 a "b c")`},
		{"a NEAR/3 b NEAR/2 c", "(and (near3 a b) (near2 b c))"},
		{"title:code kind:loi", "(and title=code kind=loi)"},
		{`title:"code du travail"`, "title=code du travail"},
		{"etat:abrogé", "status=abrogé"},
		{"http://x", "?http://x"},
		{"date:2020..2022", "date=2020..2022"},
		{"\u00aba b\u00bb", `"a b"`},
		{"and or not", "?and,or,not"},
	} {
		n, err := parse(c.query)
		if err != nil || n.shape() != c.want {
			t.Errorf("%q: %s, %v; want %s", c.query, n.shape(), err, c.want)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, c := range []struct {
		query, code string
		at          int
	}{
		{`a "b`, "law.query.quote", 3},
		{"(a", "law.query.open", 1},
		{"a)", "law.query.close", 2},
		{"a AND", "law.query.empty", 6},
		{"OR a", "law.query.empty", 1},
		{"NOT", "law.query.empty", 1},
		{"a NEAR", "law.query.near", 3},
		{"(a b) NEAR c", "law.query.near", 7},
		{"title:", "law.query.value", 1},
		{"date:soon", "law.query.date", 6},
		{strings.Repeat("(", 30) + "a", "law.query.deep", 13},
		{strings.Repeat("NOT ", 300) + "a", "", 0},
		{strings.Repeat("x", 3000), "law.query.long", 2000},
	} {
		_, err := parse(c.query)
		var e *Error
		if !errors.As(err, &e) || c.code != "" && (e.Code != c.code || e.At != c.at) {
			t.Errorf("%.20q: %v, want %s at %d", c.query, err, c.code, c.at)
		}
	}
}

func TestDateRange(t *testing.T) {
	for _, c := range []struct {
		in, from, to string
		ok           bool
	}{
		{"2020", "2020", "2020-99-99", true}, {"2020-03..2021", "2020-03", "2021-99-99", true}, {"..2019-05", "", "2019-05-99", true},
		{"2019-05-02..", "2019-05-02", "9999-99-99", true}, {"2019-05-02", "2019-05-02", "2019-05-02", true}, {"..", "", "", false}, {"20", "", "", false},
		{"2020..x", "", "", false}, {"2020/03", "", "", false},
	} {
		from, to, ok := dateRange(c.in)
		if from != c.from || to != c.to || ok != c.ok {
			t.Errorf("%q: %q %q %v", c.in, from, to, ok)
		}
	}
}

// FuzzParse holds that no query breaks the parser, that trees stay within their
// bounds, and that faults name a place in the query.
func FuzzParse(f *testing.F) {
	f.Add(`a AND (b OR "c d") NOT title:x NEAR/3`)
	f.Add("+a -b date:2020..2021 \u00abx\u00bb")
	if b, err := os.ReadFile("testdata/queries.txt"); err == nil {
		for line := range strings.Lines(string(b)) {
			f.Add(strings.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parse(s)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.At < 0 || e.At > utf8.RuneCountInString(s)+2 {
				t.Fatalf("fault %v in %q", err, s)
			}
			return
		}
		nodes, deep := 0, 0
		var walk func(*node, int)
		walk = func(n *node, d int) {
			nodes++
			deep = max(deep, d)
			for _, k := range n.kids {
				walk(k, d+1)
			}
		}
		if n != nil {
			walk(n, 0)
		}
		if nodes > maxNodes+2 || deep > 8*maxNesting {
			t.Fatalf("%d nodes, %d deep", nodes, deep)
		}
	})
}
