package form_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"diwan/internal/casework/form"
)

// doc is the form with every kind, as JSON that tests bend.
func doc(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(read(t, "testdata/kinds.json"), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

type tree = map[string]any

func pageOf(d tree, i int) tree         { return d["pages"].([]any)[i].(tree) }
func questionOf(d tree, i, j int) tree  { return pageOf(d, i)["questions"].([]any)[j].(tree) }
func schemaOf(d tree) tree              { return d["schema"].(tree) }
func propertyOf(d tree, n string) tree  { return schemaOf(d)["properties"].(tree)[n].(tree) }
func encode(t testing.TB, v any) []byte { b, _ := json.Marshal(v); return b }

// Every fault is found, with its place and a stable code.
func TestParseRefuses(t *testing.T) {
	text := func(s string) tree { return tree{"fr": s, "en": s} }
	nested := func(n int) tree {
		s := tree{"type": "string"}
		for range n {
			s = tree{"type": "object", "additionalProperties": false, "properties": tree{"a": s}}
		}
		return s
	}
	for _, tt := range []struct {
		name string
		bend func(d tree)
		path string
		code string
	}{
		{"unknown field", func(d tree) { d["colour"] = 1 }, "", "field"},
		{"unknown field of a question", func(d tree) { questionOf(d, 0, 0)["requird"] = true }, "", "field"},
		{"identifier", func(d tree) { d["id"] = "Building Permit" }, "id", "id"},
		{"version", func(d tree) { d["version"] = "" }, "version", "version"},
		{"no language", func(d tree) { d["languages"] = []any{} }, "languages", "languages"},
		{"a language missing", func(d tree) { d["title"] = tree{"fr": "x"} }, "title", "text.missing"},
		{"a language too many", func(d tree) { d["title"] = tree{"fr": "x", "en": "x", "de": "x"} }, "title", "text.language"},
		{"text that turns the page", func(d tree) { d["title"] = text("a\u202eb") }, "title", "text.characters"},
		{"text without end", func(d tree) { d["title"] = text(strings.Repeat("a", 4001)) }, "title", "text.long"},
		{"no page", func(d tree) { d["pages"] = []any{} }, "pages", "pages"},
		{"two pages of one name", func(d tree) { pageOf(d, 1)["id"] = "one" }, "pages[1].id", "page.id"},
		{"page without questions", func(d tree) { pageOf(d, 2)["questions"] = []any{} }, "pages[2].questions", "page.empty"},
		{"unknown kind", func(d tree) { questionOf(d, 0, 0)["kind"] = "html" }, "pages[0].questions[0].kind", "kind"},
		{"question outside the schema", func(d tree) { questionOf(d, 0, 0)["name"] = "nobody" }, "pages[0].questions[0].name", "question.unknown"},
		{"name that CEL reserves", func(d tree) { questionOf(d, 0, 0)["name"] = "in" }, "pages[0].questions[0].name", "question.unknown"},
		{"schema outside the questions", func(d tree) { schemaOf(d)["properties"].(tree)["spare"] = tree{"type": "string"} }, "schema/properties/spare", "schema.unasked"},
		{"kind against schema", func(d tree) { questionOf(d, 0, 0)["kind"] = "integer" }, "pages[0].questions[0].kind", "question.type"},
		{"foreign part", func(d tree) { propertyOf(d, "who")["properties"].(tree)["weight"] = tree{"type": "number"} }, "pages[5].questions[1].kind", "question.part"},
		{"asked twice", func(d tree) { questionOf(d, 0, 1)["name"] = "name"; questionOf(d, 0, 1)["kind"] = "text" }, "pages[0].questions[1].name", "question.twice"},
		{"options without", func(d tree) { delete(questionOf(d, 3, 0), "options") }, "pages[3].questions[0].options", "options"},
		{"options against schema", func(d tree) { propertyOf(d, "colour")["enum"] = []any{"red", "blue"} }, "pages[3].questions[0].options", "options.schema"},
		{"repeated group without bound", func(d tree) { pageOf(d, 6)["repeat"].(tree)["max"] = 0 }, "pages[6].repeat.max", "repeat.max"},
		{"repeated group of nothing", func(d tree) { pageOf(d, 6)["repeat"].(tree)["name"] = "name" }, "pages[6].repeat.name", "repeat.name"},
		{"evidence without route", func(d tree) { delete(questionOf(d, 7, 1), "once") }, "pages[7].questions[1].once", "once"},
		{"signature without declaration", func(d tree) { delete(d, "declaration") }, "pages[8].questions[1].kind", "declaration"},
		{"computed and required", func(d tree) { questionOf(d, 1, 3)["required"] = true }, "pages[1].questions[3].compute", "attribute"},
		{"schema loads a file", func(d tree) { propertyOf(d, "name")["$ref"] = "file:///etc/passwd" }, "schema/properties/name", "schema.ref"},
		{"schema loads from a host", func(d tree) { propertyOf(d, "name")["$ref"] = "https://example.org/x.json" }, "schema/properties/name", "schema.ref"},
		{"schema refers to nothing", func(d tree) { propertyOf(d, "name")["$ref"] = "#/$defs/none" }, "schema/properties/name", "schema.ref"},
		{"schema turns in a circle", func(d tree) {
			schemaOf(d)["$defs"].(tree)["a"] = tree{"$ref": "#/$defs/a"}
			propertyOf(d, "name")["$ref"] = "#/$defs/a"
		}, "schema/$defs/a", "schema.deep"},
		{"schema too deep", func(d tree) { schemaOf(d)["properties"].(tree)["deep"] = nested(14) }, "", "schema.deep"},
		{"schema combines", func(d tree) { propertyOf(d, "name")["oneOf"] = []any{tree{}} }, "schema/properties/name", "schema.keyword"},
		{"schema names itself", func(d tree) { schemaOf(d)["$id"] = "https://example.org/" }, "schema", "schema.keyword"},
		{"schema open", func(d tree) { delete(schemaOf(d), "additionalProperties") }, "schema", "schema.open"},
		{"schema obliges", func(d tree) { schemaOf(d)["required"] = []any{"name"} }, "schema/required", "schema.required"},
		{"schema of another draft", func(d tree) { schemaOf(d)["$schema"] = "http://json-schema.org/draft-07/schema#" }, "schema.$schema", "schema.draft"},
		{"pattern that is none", func(d tree) { propertyOf(d, "name")["pattern"] = "(" }, "schema", "schema.bad"},
		{"two types", func(d tree) { propertyOf(d, "name")["type"] = []any{"string", "null"} }, "schema/properties/name", "schema.type"},
		{"condition misspelt", func(d tree) { pageOf(d, 4)["when"] = "answers.color == 'green'" }, "pages[4].when", "expression.bad"},
		{"condition that is no truth", func(d tree) { pageOf(d, 4)["when"] = "answers.colour" }, "pages[4].when", "expression.type"},
		{"condition that compares unlike things", func(d tree) { pageOf(d, 4)["when"] = "answers.count == 'green'" }, "pages[4].when", "expression.bad"},
		{"condition on a later answer", func(d tree) { pageOf(d, 1)["when"] = "answers.colour == 'green'" }, "pages[1].when", "expression.later"},
		{"condition on its own answer", func(d tree) { questionOf(d, 0, 0)["when"] = "answers.name == 'x'" }, "pages[0].questions[0].when", "expression.later"},
		{"condition on everything", func(d tree) { pageOf(d, 4)["when"] = "has(answers.colour) && answers == answers" }, "pages[4].when", "expression.whole"},
		{"condition without end", func(d tree) { pageOf(d, 4)["when"] = strings.Repeat("true && ", 200) + "true" }, "pages[4].when", "expression.long"},
		{"condition too deep", func(d tree) { pageOf(d, 4)["when"] = strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300) }, "pages[4].when", "expression.bad"},
		{"condition too dear", func(d tree) {
			pageOf(d, 7)["when"] = "answers.owners.all(a, answers.owners.all(b, answers.owners.all(c, answers.owners.all(d, answers.owners.all(e, (a.name + b.name + answers.about).matches('(a|b)*c'))))))"
		}, "pages[7].when", "expression.cost"},
		{"computation of another type", func(d tree) { questionOf(d, 1, 3)["compute"] = "answers.name" }, "pages[1].questions[3].compute", "expression.type"},
		{"item outside a group", func(d tree) { pageOf(d, 4)["when"] = "item.share > 1" }, "pages[4].when", "expression.bad"},
		{"making answers", func(d tree) { pageOf(d, 4)["when"] = "answers_of_{}.name == 'x'" }, "pages[4].when", "expression.make"},
	} {
		d := doc(t)
		tt.bend(d)
		_, err := form.Parse(encode(t, d))
		faults, ok := errors.AsType[form.Faults](err)
		if !ok {
			t.Errorf("%s: Parse says %v", tt.name, err)
			continue
		}
		found := false
		for _, f := range faults {
			found = found || strings.HasPrefix(f.Code, "form_document."+tt.code) && (tt.path == "" || f.Path == tt.path)
		}
		if !found {
			t.Errorf("%s: want %s at %s, got %v", tt.name, tt.code, tt.path, faults)
		}
	}
}

func TestParseRefusesBytes(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":                nil,
		"not JSON":               []byte("{"),
		"two values":             []byte("{}{}"),
		"a name twice":           []byte(`{"id":"a","id":"b"}`),
		"a name in capitals too": []byte(`{"id":"a","ID":"b"}`),
		"deep":                   []byte(strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)),
		"large":                  []byte(strings.Repeat(" ", form.MaxBytes+1)),
		"a list":                 []byte("[]"),
	} {
		if _, err := form.Parse(b); err == nil {
			t.Errorf("%s: accepted", name)
		} else if _, ok := errors.AsType[form.Faults](err); !ok {
			t.Errorf("%s: %v is no Faults", name, err)
		}
	}
}

// Every code that the package can answer has its sentence, and no language lacks
// one.
func TestEveryCodeIsSaid(t *testing.T) {
	c := words(t)
	for _, fault := range c.Check() {
		t.Error(fault)
	}
	for _, file := range []struct{ dir, prefix, mark string }{
		{"", "problem.", `"form_document.`}, {"", "problem.answer.", `problemAt(`}, {"", "ask.lint.", `l.add(`},
	} {
		for _, code := range codes(t, file.mark) {
			if !c.Has("fr", file.prefix+code) {
				t.Errorf("no sentence for %q", file.prefix+code)
			}
		}
	}
	for _, k := range form.Kinds() {
		if !c.Has("fr", "ask.kind."+k) {
			t.Errorf("the kind %s has no name", k)
		}
	}
}

// codes finds the codes in the package's source.
func codes(t *testing.T, mark string) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		for _, line := range strings.Split(string(read(t, e.Name())), "\n") {
			i := strings.Index(line, mark)
			if i < 0 || strings.HasPrefix(line, "func ") {
				continue
			}
			parts := strings.Split(line[i:], `"`)
			at := 1
			if mark == "l.add(" {
				at = 1
				if !strings.HasPrefix(parts[0], "l.add(q.at,") && len(parts) > 3 {
					at = 3
				}
			} else if mark == "problemAt(" {
				for at+2 < len(parts) && strings.HasPrefix(parts[at], ".") || at+2 < len(parts) && parts[at] == "-yes" {
					at += 2
				}
			}
			if at < len(parts) && parts[at] != "" && !strings.HasSuffix(parts[at], ".") && !strings.HasPrefix(parts[at], "answer.") {
				out = append(out, parts[at])
			}
		}
	}
	if len(out) < 5 {
		t.Fatalf("found only %v after %s", out, mark)
	}
	return out
}
