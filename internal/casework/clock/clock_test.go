package clock

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/gov"
	"diwan/internal/i18n"
)

func date(s string) gov.Date {
	d, err := gov.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Days are numbered as the calendar of the standard library has them.
func TestDaysAgreeWithTheCalendar(t *testing.T) {
	for n := day(-800000); n < 3000000; n += 37 {
		want := gov.DateOf(time.Unix(int64(n)*86400, 0), time.UTC)
		if n.date() != want || dayOf(want) != n || n.weekday() != want.Weekday() {
			t.Fatalf("day %d is %s %s, back %d; want %s %s", n, n.date(), n.weekday(), dayOf(want), want, want.Weekday())
		}
	}
	if dayOf(gov.Date{}) != never || !never.date().IsZero() {
		t.Error("no date is not no day")
	}
}

// Another country is another file: its periods, its lists, its readings.
func TestAnotherCountry(t *testing.T) {
	r := load(t, filepath.Join("testdata", "lumeria.json"))
	yes := true
	filed := Event{On: date("2026-03-02"), Type: Filed, Complete: &yes}
	o, err := Run(r, Input{DeadlineDays: 9, Lists: []string{"mooring"}, Events: []Event{filed}, AsOf: date("2026-03-12")})
	if err != nil || o.State != SilenceApproved || o.Due != date("2026-03-11") || o.HalfUntil != date("2026-03-07") {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := Run(r, Input{DeadlineDays: 10, Lists: []string{"mooring"}, Events: []Event{filed}, AsOf: date("2026-03-12")}); err == nil {
		t.Error("ten days are accepted where the list allows nine")
	}
	claim := Event{On: date("2026-03-12"), Type: DeliveryRequested}
	o, err = Run(r, Input{DeadlineDays: 9, Lists: []string{"mooring"}, Events: []Event{filed, claim}, AsOf: date("2026-03-17")})
	if err != nil || o.State != Escalated || o.Timers[0] != (Timer{"council", date("2026-03-23")}) {
		t.Errorf("%+v, %v", o, err)
	}
	tide := Event{On: date("2026-03-05"), Type: Extended, Days: 3, Reason: "spring tides"}
	o, err = Run(r, Input{DeadlineDays: 9, Lists: []string{"mooring"}, Events: []Event{filed, tide}, AsOf: date("2026-03-05")})
	if err != nil || o.State != ExtendedState || o.Due != date("2026-03-16") {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "lumeria.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, says string }{
		{`"roll_weekend"`, `"rol_weekend"`, "roll_weekend"},
		{`"days": 21`, `"days": 0`, "0 days"},
		{`"escalation": "council"`, `"escalation": "senate"`, "senate"},
		{`"escalation": "council"`, `"escalation": ""`, "harbour"},
		{`"default_authority": "harbour"`, `"default_authority": "quay"`, "quay"},
		{`"reasons": `, `"reason": `, "reasons"},
		{`"periods"`, `"perods"`, "perods"},
		{`"delivery": {`, `"delivering": {`, "delivery"},
	} {
		if !bytes.Contains(whole, []byte(c.from)) {
			t.Fatalf("%s is not in the file", c.from)
		}
		_, err := Load(bytes.Replace(whole, []byte(c.from), []byte(c.to), 1))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if _, err := Load(append(whole, '1')); err == nil {
		t.Error("two values are one file")
	}
}

func TestReadRefuses(t *testing.T) {
	r := country(t)
	const rest = `,"as_of":"2026-03-02"`
	for _, c := range []struct{ in, says string }{
		{``, "EOF"},
		{`[]`, "array"},
		{`{"as_of":"2026-03-02"}`, "deadline_days is missing"},
		{`{"deadline_days":30}`, "as_of is missing"},
		{`{"deadline_days":30` + rest + `} {}`, "follows"},
		{`{"deadline_days":-1` + rest + `}`, "negative"},
		{`{"deadline_days":"30"` + rest + `}`, "deadline_days can't be a string"},
		{`{"deadline_days":30,"deadline":1` + rest + `}`, `unknown field "deadline"`},
		{`{"deadline_days":30,"deadline_days":31` + rest + `}`, "twice"},
		{`{"deadline_days":30,"lists":["best"]` + rest + `}`, `lists[0]: there is no list "best"; there are extension, investment, silence`},
		{`{"deadline_days":30,"authority":"king"` + rest + `}`, `no authority "king"`},
		{`{"deadline_days":30,"holidays":["2026-02-30"]` + rest + `}`, "2026-02-30"},
		{`{"deadline_days":30,"holidays":[""]` + rest + `}`, "holidays[0]"},
		{`{"deadline_days":30,"settings":{"role":true}` + rest + `}`, `no setting is called "role"`},
		{`{"deadline_days":30,"settings":{"roll":"yes"}` + rest + `}`, "settings"},
		{`{"deadline_days":30,"events":[{"on":"2026-03-02"}]` + rest + `}`, "events[0]: type is missing"},
		{`{"deadline_days":30,"events":[{"on":"2026-03-02","type":"lost"}]` + rest + `}`, `events[0]: there is no type of event "lost"`},
		{`{"deadline_days":30,"events":[{"type":"filed"}]` + rest + `}`, "on is missing"},
		{`{"deadline_days":30,"events":[{"type":"filed","on":"2026-03-02T10:00:00Z"}]` + rest + `}`, "not a day"},
		{`{"deadline_days":30,"events":[{"type":"filed","on":"2026-03-02","by":"x"}]` + rest + `}`, `"by"`},
		{`{"deadline_days":30,"events":[{"type":"extended","on":"2026-03-02","days":99999}]` + rest + `}`, "too many"},
		{`{"deadline_days":30,"as_of":"tomorrow"}`, "tomorrow"},
		{strings.Repeat("[", 1000), "nested"},
		{`{"deadline_days":30` + rest + strings.Repeat(" ", MaxBytes) + `}`, "larger"},
	} {
		_, err := Read(strings.NewReader(c.in), r)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.80s: %v, want %q", c.in, err, c.says)
		}
	}
}

func TestTooManyEvents(t *testing.T) {
	r := country(t)
	in := Input{DeadlineDays: 30, AsOf: date("2026-03-02"), Events: make([]Event, MaxEvents+1)}
	if _, err := Run(r, in); err == nil {
		t.Error("Run takes any number of events")
	}
	in.Events = nil
	in.Holidays = make([]gov.Date, MaxHolidays+1)
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(bytes.NewReader(b), r); err == nil {
		t.Error("Read takes any number of holidays")
	}
}

// What may happen is what would be accepted.
func TestMayAgreesWithRun(t *testing.T) {
	r := country(t)
	yes := true
	for _, c := range spec(t) {
		in, err := Read(bytes.NewReader(c.Input), r)
		if err != nil {
			t.Fatal(err)
		}
		before, err := Run(r, in)
		if err != nil {
			continue
		}
		for typ, code := range before.May {
			next := in
			e := Event{On: in.AsOf, Type: typ, Complete: &yes, Days: 1, Reason: "expertise, " + c.Name}
			next.Events = append(slices.Clone(in.Events), e)
			// What comes after the day would be looked at as well, and a filing that
			// left its completeness open would be read anew.
			if len(in.Events) > 0 && (in.AsOf.Before(in.Events[len(in.Events)-1].On) || in.Events[0].Complete == nil) {
				continue
			}
			after, err := Run(r, next)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, x := range after.Rejected {
				if x.Index == len(next.Events)-1 {
					got = x.Code
				}
			}
			if got != code && got != codeDuplicate {
				t.Errorf("%s: %s may happen: %q, Run says %q", c.Name, typ, code, got)
			}
		}
	}
}

// A case shown on one day is part of what is shown on a later one: time makes
// changes where it said that it would, and nowhere else.
func TestTimeMakesChangesWhereItSaid(t *testing.T) {
	r := country(t)
	for _, c := range spec(t) {
		in, err := Read(bytes.NewReader(c.Input), r)
		if err != nil {
			t.Fatal(err)
		}
		last := in.AsOf
		for _, e := range in.Events {
			if last.Before(e.On) {
				last = e.On
			}
		}
		in.AsOf = last
		o, err := Run(r, in)
		if err != nil {
			continue
		}
		for range 150 {
			in.AsOf = in.AsOf.AddDays(1)
			next, err := Run(r, in)
			if err != nil {
				t.Fatal(err)
			}
			if changed := next.State != o.State; changed != (o.Change == in.AsOf) {
				t.Fatalf("%s: on %s the state is %s after %s, the change was said for %s", c.Name, in.AsOf, next.State, o.State, o.Change)
			}
			if o.Next != (gov.Date{}) && !in.AsOf.Before(o.Next) && next.Next == o.Next {
				t.Fatalf("%s: the next date stays on %s", c.Name, o.Next)
			}
			o = next
		}
	}
}

func words(t *testing.T) *i18n.Catalog {
	t.Helper()
	c, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, []fs.FS{Messages()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Everything that the clock can say has words in every language, and no message
// is left over.
func TestWords(t *testing.T) {
	c := words(t)
	for _, f := range c.Check() {
		t.Error(f)
	}
	want := map[string]bool{"clock.days": true, "clock.article": true, "clock.reading": true}
	for _, s := range States() {
		want["clock.state."+string(s)] = true
	}
	for _, e := range EventTypes() {
		want["clock.event."+string(e)] = true
	}
	for _, x := range Codes() {
		want["problem.clock."+x] = true
	}
	for p := range country(t).Periods {
		want["clock.timer."+p] = true
	}
	for k := range want {
		if !c.Has("ar", k) {
			t.Errorf("there are no words for %s", k)
		}
	}
	for _, k := range c.Keys() {
		if !want[k] && !strings.HasPrefix(k, "clock.explain.") && !strings.HasPrefix(k, "clock.label.") {
			t.Errorf("%s is said by nobody", k)
		}
	}
}

// Each sentence of each explanation of the specification is whole in every
// language, and each sentence is needed.
func TestSay(t *testing.T) {
	r, c := country(t), words(t)
	said := map[string]bool{}
	for _, lang := range c.Languages() {
		w := Words{Printer: c.Printer(lang), Date: gov.Date.String, Number: func(int) string { return "7" }, Lang: gov.Lang(lang), Order: []gov.Lang{"ar", "fr"}}
		for _, k := range spec(t) {
			in, err := Read(bytes.NewReader(k.Input), r)
			if err != nil {
				t.Fatal(err)
			}
			o, err := Run(r, in)
			if err != nil {
				continue
			}
			if len(o.Explain) == 0 {
				t.Errorf("%s: nothing is explained", k.Name)
			}
			for _, e := range o.Explain {
				said[e.Code] = true
				if s := w.Say(&r, e); strings.ContainsAny(s, "{}") || strings.Contains(s, "[clock.") {
					t.Errorf("%s, %s: %s", k.Name, lang, s)
				}
			}
		}
	}
	for _, k := range c.Keys() {
		if code, ok := strings.CutPrefix(k, "clock.explain."); ok && !said[code] {
			t.Errorf("no case of the specification is explained with %q", code)
		}
	}
	w := Words{Printer: c.Printer("en"), Date: gov.Date.String, Number: func(int) string { return "" }, Known: func(string) bool { return false }}
	if w.Timer("council") != "council" || w.State(Running) == "" || w.Rejection(codeClosed) == "" {
		t.Error("a period of another country has no name")
	}
}

// Settings can be switched for one case and say who they are.
func TestSettings(t *testing.T) {
	r := country(t)
	if got := slices.Sorted(maps.Keys(r.Settings)); len(got) != len(Settings()) {
		t.Errorf("settings %v", got)
	}
	with, err := r.With(map[string]bool{"roll": false})
	if err != nil || with.On("roll") || !r.On("roll") || r.On("nothing") {
		t.Errorf("With: %v", err)
	}
	for n, s := range r.Settings {
		if s.Reading.Empty() || s.Source.Empty() {
			t.Errorf("%s does not say what it means and whence it comes", n)
		}
	}
	// A different reading gives a different day: each of them is at work.
	base, err := os.ReadFile(filepath.Join("testdata", "spec.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range Settings() {
		if !bytes.Contains(base, []byte(`"`+n+`"`)) {
			t.Errorf("no case switches %s", n)
		}
		moved := false
		for _, c := range spec(t) {
			in, err := Read(bytes.NewReader(c.Input), r)
			if err != nil {
				t.Fatal(err)
			}
			a, err := Run(r, in)
			if err != nil {
				continue
			}
			in.Settings = maps.Clone(in.Settings)
			if in.Settings == nil {
				in.Settings = map[string]bool{}
			}
			if _, set := in.Settings[n]; set {
				continue
			}
			in.Settings[n] = !r.On(n)
			b, err := Run(r, in)
			if err != nil {
				t.Fatal(err)
			}
			a.Explain, b.Explain = nil, nil
			moved = moved || !reflect.DeepEqual(a, b)
		}
		if !moved {
			t.Errorf("%s changes nothing", n)
		}
	}
}
