package clock

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"diwan/internal/gov"
)

// FuzzRead: whatever comes from outside is refused or can be asked about, and
// what was read and written again reads the same.
func FuzzRead(f *testing.F) {
	r := country(f)
	for _, c := range spec(f) {
		f.Add([]byte(c.Input))
	}
	f.Add([]byte(`{"deadline_days":30,"as_of":"0000-01-01","events":[{"on":"9999-12-31","type":"filed","complete":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Read(bytes.NewReader(b), r)
		if err != nil {
			return
		}
		check(t, r, in)
		again, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Read(bytes.NewReader(again), r)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		a, errA := Run(r, in)
		b2, errB := Run(r, back)
		if !reflect.DeepEqual(a, b2) || (errA == nil) != (errB == nil) {
			t.Errorf("written and read again it is another case: %s", again)
		}
	})
}

// FuzzRun makes cases from numbers, so that most of them go deep.
func FuzzRun(f *testing.F) {
	r := country(f)
	for i := range uint64(40) {
		f.Add(i, i*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) { check(t, r, random(rand.New(rand.NewPCG(a, b)))) })
}

// random makes a case whose events mostly stand in order.
func random(n *rand.Rand) Input {
	in := Input{DeadlineDays: n.IntN(62), AsOf: date("2026-03-02").AddDays(n.IntN(200) - 5), Authority: []string{"", "local", "central"}[n.IntN(3)]}
	for _, l := range []string{"silence", "extension", "investment"} {
		if n.IntN(2) == 0 {
			in.Lists = append(in.Lists, l)
		}
	}
	for range n.IntN(3) {
		if in.Settings == nil {
			in.Settings = map[string]bool{}
		}
		in.Settings[settingNames[n.IntN(int(settingCount))]] = n.IntN(2) == 0
	}
	for range n.IntN(4) {
		in.Holidays = append(in.Holidays, date("2026-03-02").AddDays(n.IntN(120)))
	}
	on := date("2026-03-02")
	for i := range n.IntN(14) {
		e := Event{On: on, Type: EventTypes()[n.IntN(len(EventTypes()))], Days: n.IntN(20) - 1, Reason: []string{"", "expertise", "no"}[n.IntN(3)]}
		if i == 0 {
			e.Type = Filed
		}
		if n.IntN(2) == 0 {
			complete := n.IntN(2) == 0
			e.Complete = &complete
		}
		in.Events = append(in.Events, e)
		on = on.AddDays(n.IntN(12) - 1)
	}
	return in
}

// check holds what must be true of every case.
func check(t *testing.T, r Rules, in Input) {
	t.Helper()
	o, err := Run(r, in)
	again, errAgain := Run(r, in)
	if !reflect.DeepEqual(o, again) || (err == nil) != (errAgain == nil) {
		t.Fatal("the same case gave two answers")
	}
	if err != nil {
		return
	}
	if b, err := Look(&r, &in); err != nil || b != (Brief{o.State, o.Due, o.Change, o.ToChange}) {
		t.Fatalf("Look = %+v, %v; Run %s %s %s", b, err, o.State, o.Due, o.Change)
	}
	if !slices.Contains(States(), o.State) {
		t.Fatalf("state %q", o.State)
	}
	if !o.Due.IsZero() && o.Due.Before(in.Events[0].On) && len(o.Rejected) == 0 {
		t.Fatalf("due on %s, before the filing on %s", o.Due, in.Events[0].On)
	}
	if o.State.Pending() && !o.Due.IsZero() && o.Due.Before(in.AsOf) {
		t.Fatalf("%s on %s although it was due on %s", o.State, in.AsOf, o.Due)
	}
	for _, x := range []gov.Date{o.Next, o.Change} {
		if !x.IsZero() && !in.AsOf.Before(x) {
			t.Fatalf("the next date %s has passed on %s", x, in.AsOf)
		}
	}
	for _, c := range o.Rejected {
		if !slices.Contains(Codes(), c.Code) {
			t.Fatalf("code %q", c.Code)
		}
	}
	later(t, r, in, o)
	withoutRejected(t, r, in, o)
}

// later adds events after the day: the past stays as it was.
func later(t *testing.T, r Rules, in Input, o Output) {
	t.Helper()
	if len(in.Events) >= MaxEvents || in.AsOf.Year >= 9999 {
		return
	}
	more := in
	more.Events = append(slices.Clone(in.Events), Event{On: in.AsOf.AddDays(1), Type: Granted})
	p, err := Run(r, more)
	if err != nil {
		t.Fatal(err)
	}
	p.Explain, o.Explain = nil, nil
	if !reflect.DeepEqual(p, o) {
		t.Fatalf("an event on the next day changed this one:\n%+v\n%+v", o, p)
	}
}

// withoutRejected leaves out what was not accepted: it had no effect.
func withoutRejected(t *testing.T, r Rules, in Input, o Output) {
	t.Helper()
	var kept []Event
	bad := map[int]bool{}
	for _, x := range o.Rejected {
		bad[x.Index] = true
	}
	for i, e := range in.Events {
		if bad[i] && e.Type == Completed {
			return // it tells of a filing that did not say whether it was complete
		}
		if !bad[i] {
			kept = append(kept, e)
		}
	}
	in.Events = kept
	p, err := Run(r, in)
	if err != nil {
		t.Fatal(err)
	}
	if p.State != o.State || p.Due != o.Due || p.Change != o.Change || len(p.Rejected) > 0 {
		t.Fatalf("events that were not accepted had an effect: %s %s, without them %s %s %v", o.State, o.Due, p.State, p.Due, p.Rejected)
	}
}

func plainCase() Input {
	yes := true
	return Input{DeadlineDays: 30, Lists: []string{"silence"}, Authority: "local", AsOf: date("2026-03-20"),
		Events: []Event{{On: date("2026-03-02"), Type: Filed, Complete: &yes}}}
}

// A sweep over running cases must not allocate.
func TestLookAllocatesNothing(t *testing.T) {
	r := country(t)
	in := plainCase()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Look(&r, &in); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLook(b *testing.B) {
	r := country(b)
	in := plainCase()
	for b.Loop() {
		if _, err := Look(&r, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookSuspended(b *testing.B) {
	r := country(b)
	in := plainCase()
	in.Events = append(in.Events, Event{On: date("2026-03-05"), Type: InformationRequested}, Event{On: date("2026-03-09"), Type: InformationReceived})
	for b.Loop() {
		if _, err := Look(&r, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	r := country(b)
	in := plainCase()
	for b.Loop() {
		if _, err := Run(r, in); err != nil {
			b.Fatal(err)
		}
	}
}
