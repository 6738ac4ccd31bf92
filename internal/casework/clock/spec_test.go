package clock

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"diwan/internal/gov"
)

// country returns the rules of the built-in country with its weekend and no
// holidays, as the command uses them.
func country(t testing.TB) Rules {
	t.Helper()
	return load(t, filepath.Join("..", "..", "..", "country", "ma", "clock.json"))
}

func load(t testing.TB, name string) Rules {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Load(b)
	if err != nil {
		t.Fatal(err)
	}
	return r.In(gov.Calendar{Weekend: map[time.Weekday]bool{time.Saturday: true, time.Sunday: true}})
}

type specCase struct {
	Name, Article string
	Appeal        bool // the case is an appeal, which the JSON of an input can't say
	Input         json.RawMessage
	Expect        map[string]json.RawMessage
}

func spec(t testing.TB) []specCase {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "spec.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []specCase
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestSpecification runs the table that a lawyer can read.
func TestSpecification(t *testing.T) {
	r := country(t)
	names := map[string]bool{}
	for _, c := range spec(t) {
		if names[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			in, err := Read(bytes.NewReader(c.Input), r)
			if err != nil {
				t.Fatal(err)
			}
			in.Appeal = c.Appeal
			o, err := Run(r, in)
			if _, long := errors.AsType[*TooLongError](err); long != (c.Expect["error"] != nil) || err != nil && !long {
				t.Fatalf("Run: %v", err)
			}
			for field, want := range c.Expect {
				compare(t, c.Article, field, want, o)
			}
			if err == nil {
				sameLook(t, r, in, o)
			}
		})
	}
}

func compare(t *testing.T, article, field string, want json.RawMessage, o Output) {
	t.Helper()
	codes, states := []string{}, []State{}
	for _, x := range o.Rejected {
		codes = append(codes, x.Code)
	}
	for _, x := range o.Transitions {
		states = append(states, x.State)
	}
	got, ok := map[string]any{"state": o.State, "due": day0(o.Due), "silence_from": day0(o.SilenceFrom), "half_until": day0(o.HalfUntil),
		"next": day0(o.Next), "change": day0(o.Change), "fetch_notice": day0(o.FetchNotice), "timers": append([]Timer{}, o.Timers...),
		"overdue": append([]Timer{}, o.Overdue...), "rejected": codes, "transitions": states, "left": o.Left, "error": codeTooLong}[field]
	if !ok {
		t.Fatalf("the specification names %q, which is nothing", field)
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	if err := json.Compact(&w, want); err != nil {
		t.Fatal(err)
	}
	if w.String() != string(g) {
		t.Errorf("article %s: %s is %s, want %s", article, field, g, w.String())
	}
}

func day0(d gov.Date) *gov.Date {
	if d.IsZero() {
		return nil
	}
	return &d
}

// sameLook compares the quick look with the whole run.
func sameLook(t *testing.T, r Rules, in Input, o Output) {
	t.Helper()
	b, err := Look(&r, &in)
	if err != nil || b != (Brief{o.State, o.Due, o.Change, o.ToChange}) {
		t.Errorf("Look = %+v, %v; Run says %s %s %s", b, err, o.State, o.Due, o.Change)
	}
}

// Every code, state and reading has a case in the specification, so that none
// can change unseen.
func TestSpecificationIsWhole(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "spec.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	want = append(want, Codes()...)
	want = append(want, Settings()...)
	for _, s := range States() {
		want = append(want, string(s))
	}
	for _, e := range EventTypes() {
		want = append(want, string(e))
	}
	for _, w := range want {
		if !bytes.Contains(b, []byte(`"`+w+`"`)) {
			t.Errorf("no case of the specification says %q", w)
		}
	}
}
