package i18n

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/text/language"
)

func folder(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for n, s := range files {
		m[n] = &fstest.MapFile{Data: []byte(s)}
	}
	return m
}

func TestPluralForms(t *testing.T) {
	tests := []struct {
		lang string
		n    int
		want string
	}{
		{"ar", 0, "zero"}, {"ar", 1, "one"}, {"ar", 2, "two"}, {"ar", 3, "few"}, {"ar", 10, "few"},
		{"ar", 11, "many"}, {"ar", 99, "many"}, {"ar", 100, "other"}, {"ar", 103, "few"}, {"ar", 111, "many"},
		{"fr", 0, "one"}, {"fr", 1, "one"}, {"fr", 2, "other"},
		{"en", 0, "other"}, {"en", 1, "one"}, {"zgh", 7, "other"}, {"ar", -2, "two"},
	}
	for _, tt := range tests {
		if got := Form(language.Make(tt.lang), tt.n); got != tt.want {
			t.Errorf("Form(%s, %d) = %s, want %s", tt.lang, tt.n, got, tt.want)
		}
	}
}

func TestPrinter(t *testing.T) {
	c, err := Load([]string{"en", "fr"}, []fs.FS{folder(map[string]string{
		"en.json": `{"hello":"Hello {name}, {unknown}","n.days":{"one":"one day","other":"{n} days"}}`,
		"fr.json": `{"hello":"Bonjour {name}, {unknown}","n.days":{"one":"{n} jour","other":"{n} jours"}}`,
	})}, folder(map[string]string{"fr.json": `{"hello":"Salut {name} {unknown}"}`}))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Printer("en").T("hello", "name", "{x}"); got != "Hello {x}, {unknown}" {
		t.Errorf("T = %q", got)
	}
	if got := c.Printer("fr").T("hello", "name", "A"); got != "Salut A {unknown}" {
		t.Errorf("override: %q", got)
	}
	if got := c.Printer("fr").N("n.days", 0, "0"); got != "0 jour" {
		t.Errorf("N = %q", got)
	}
	if got := c.Printer("xx").T("nope"); got != "[nope]" {
		t.Errorf("missing key: %q", got)
	}
	if f := c.Check(); f != nil {
		t.Errorf("Check: %v", f)
	}
}

func TestLoadRefusesTwoOwners(t *testing.T) {
	f := folder(map[string]string{"en.json": `{"a":"1"}`})
	if _, err := Load([]string{"en"}, []fs.FS{f, f}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two owners of a key: %v", err)
	}
}

func TestCheckFindsFaults(t *testing.T) {
	c, err := Load([]string{"en", "ar"}, []fs.FS{folder(map[string]string{
		"en.json": `{"a":"{x}","b":"b","c":{"one":"1","other":"n"},"d":"d"}`,
		"ar.json": `{"a":"{y}","c":{"one":"1","other":"n","paucal":"?"},"d":{"other":"d"}}`,
	})})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(c.Check(), "\n")
	for _, want := range []string{`"a" has placeholders`, `"b" is missing`, `lacks the plural form "few"`, `"paucal"`, `"d" is plural in one`} {
		if !strings.Contains(all, want) {
			t.Errorf("Check does not report %s:\n%s", want, all)
		}
	}
}
