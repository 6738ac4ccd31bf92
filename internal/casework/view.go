package casework

import (
	"context"
	"slices"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// View is a case as its page shows it, to the person and to the officer.
type View struct {
	*Case
	Terms   *Terms
	Out     clock.Output
	Office  gov.Text
	Content Content
	Lang    gov.Lang

	Tone     string // of the state's tag: wait, turn, good, bad
	Icon     string
	Pending  bool
	Stopped  bool // the count is suspended
	Approves bool // silence is approval
	DaysLeft int
	Over     bool     // the day has passed
	Start    gov.Date // the day from which the period counts
	Bars     []Bar
	Span     int
	Explain  []string
	Steps    []Step
	Messages []Message
	Reasons  string // of the decision
	Decided  bool
	Silent   bool // silence was approval
	Missing  []Document
	Files    []Attached
	Root     string     // of the part of the site that shows it
	AskedFor []Document // that have to be replaced
	Asked    *Step      // what the administration asked and still waits for

	Contested *Linked  // what an appeal contests
	Appeals   []Linked // against this case
	ToChange  bool     // an appeal was granted, and the decision stands unchanged

	Asks      bool   // the administration above has asked the one below to explain
	Certified *Event // the certificate of the administration above
}

// Bar is a stretch of the drawing of the period, in days.
type Bar struct {
	Class string
	X, W  int
}

// Step is one thing that happened, as a line in the story of the case.
type Step struct {
	Kind  string // the message "casework.step." + Kind
	On    gov.Date
	Time  string
	Actor string
	Tone  string // done, now, turn, later
	Icon  string
	Text  string
	Items []gov.Text
	Days  int
	Seq   int64
	Hash  string
	To    string
	// Instead is who was away, in whose place it was done.
	Instead gov.Text
	// Private lines are the office's own.
	Private bool
}

// Message is one of the exchange between the person and the office.
type Message struct {
	Mine bool
	On   gov.Date
	Time string
	Text string
	// Letter is the place in the journal of a message that is a letter; 0 is none.
	Letter int64
}

// tones are how states are shown.
var tones = map[clock.State][2]string{
	clock.FiledIncomplete: {"turn", "upload"}, clock.Running: {"wait", "clock"}, clock.Suspended: {"turn", "clock"},
	clock.ExtendedState: {"wait", "clock"}, clock.GrantedState: {"good", "tick"}, clock.RefusedState: {"bad", "cross"},
	clock.SilenceApproved: {"good", "tick"}, clock.LapsedAppealable: {"bad", "warning"}, clock.Returned: {"bad", "cross"},
	clock.WithdrawnState: {"", "cross"}, clock.DeliveredState: {"good", "tick"}, clock.DeliveryClaimed: {"wait", "clock"},
	clock.Escalated: {"wait", "scales"}, clock.AppealedState: {"wait", "scales"}, clock.Referred: {"wait", "scales"},
}

// view gathers what a page shows of a case. For an officer the office's own lines
// are among it.
func (w *Casework) view(ctx context.Context, site *web.Site, lang gov.Lang, c *Case, officer bool) (*View, error) {
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return nil, err
	}
	journal, err := w.Journal(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := clock.Run(*w.law(), input(t, journal, w.dayIn(journal)))
	if err != nil {
		return nil, err
	}
	v := &View{Case: c, Terms: t, Out: out, Lang: lang, Pending: out.State.Pending(), Stopped: out.State == clock.Suspended}
	if v.Content, err = w.Content(ctx, c); err != nil {
		return nil, err
	}
	v.Office = w.OfficeName(c.Administration)
	v.Root = "/me"
	if officer {
		v.Root = "/office"
	}
	v.Tone, v.Icon = tones[out.State][0], tones[out.State][1]
	for _, l := range t.Lists {
		v.Approves = v.Approves || w.Rules.Lists[l].Approves
	}
	if !c.Due.IsZero() {
		v.DaysLeft = daysBetween(w.today(), c.Due)
		v.Over = v.DaysLeft < 0
	}
	words := clock.Words{Printer: site.Words.Printer(string(lang)), Date: site.Formats[lang].Date, Number: site.Formats[lang].Number, Lang: lang,
		Order: w.Country.Order(), Known: func(k string) bool { return site.Words.Has(string(lang), k) }}
	for _, e := range out.Explain {
		v.Explain = append(v.Explain, words.Say(&w.Rules, e))
	}
	for i := range journal {
		n := len(v.Steps)
		v.tell(w, &journal[i], officer)
		if away := journal[i].Clear.For; away != "" && len(v.Steps) > n {
			v.Steps[n].Instead = w.AccountName(ctx, away)
		}
	}
	v.bars(w.today(), journal)
	if w.Files != nil {
		if v.Files, err = w.Files.OfCase(ctx, c.ID); err != nil {
			return nil, err
		}
	}
	v.foresee(w.today())
	v.Contested, v.Appeals, err = w.linked(ctx, c, journal)
	return v, err
}

// Picture is where the first page of one of its files is shown.
func (v *View) Picture(a Attached) form.Picture {
	return form.Picture{Src: "/" + string(v.Lang) + v.Root + "/cases/" + v.Number + "/files/" + a.ID + previewSuffix, Name: a.Name}
}

// daysBetween counts local days; it is negative when b comes before a.
func daysBetween(a, b gov.Date) int {
	noon := func(d gov.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC) }
	return int(noon(b).Sub(noon(a)).Hours() / 24)
}

// hidden are events that only the office sees.
var hidden = map[string]bool{Assigned: true, Moved: true, Noted: true, Prepared: true, OpinionAsked: true, OpinionGiven: true}

// asks are events by which the administration waits for the person, with those by
// which the person answers.
var asks = map[string]string{
	string(clock.InformationRequested): string(clock.InformationReceived),
	string(clock.DoubtRaised):          string(clock.DoubtSettled),
	string(clock.DefectNotified):       string(clock.DefectMended),
}

// tell adds what an event says to the page.
func (v *View) tell(w *Casework, e *Event, officer bool) {
	local := e.At.In(w.Country.Zone()).Format("15:04")
	if e.Type == MessageSent {
		mine := (e.Clear.Role == AsPerson) != officer
		m := Message{Mine: mine, On: e.On, Time: local, Text: e.Text}
		if letterIn(e) != "" {
			m.Letter = e.Seq
		}
		v.Messages = append(v.Messages, m)
		return
	}
	if hidden[e.Type] && !officer {
		return
	}
	s := Step{Kind: stepOf(v.Case, e), On: e.On, Time: local, Actor: e.Actor, Tone: "done", Icon: "tick", Text: e.Text, Days: e.Clear.Days, Seq: e.Seq, Hash: e.Hash,
		To: e.Clear.To, Private: hidden[e.Type]}
	for _, id := range e.Clear.Items {
		if d, ok := v.Terms.Document(id); ok && !d.Name.Empty() {
			s.Items = append(s.Items, d.Name)
		}
	}
	switch {
	case e.Type == string(clock.Filed) && e.Clear.Complete != nil && !*e.Clear.Complete:
		s.Kind, s.Tone, s.Icon = "filed_incomplete", "turn", "upload"
		for _, id := range e.Clear.Items {
			if d, ok := v.Terms.Document(id); ok {
				v.Missing = append(v.Missing, d)
			}
		}
	case e.Type == string(clock.Completed):
		v.Missing = nil
	case e.Type == FileAdded:
		v.Missing = slices.DeleteFunc(v.Missing, func(d Document) bool { return slices.Contains(e.Clear.Items, d.ID) })
	case e.Type == TimePassed:
		s.Kind, s.Time, s.Icon = "time."+e.Clear.State, "", "clock"
		v.Silent = v.Silent || e.Clear.State == string(clock.SilenceApproved)
	case asks[e.Type] != "":
		s.Tone, s.Icon = "turn", "edit"
		v.Asked, v.AskedFor = &s, nil
		for _, id := range e.Clear.Items {
			if d, ok := v.Terms.Document(id); ok && e.Type == string(clock.DefectNotified) {
				v.AskedFor = append(v.AskedFor, d)
			}
		}
	case e.Type == AboveWrote, e.Type == BelowExplained:
		v.Asks = e.Type == AboveWrote
		s.Icon = "scales"
	case e.Type == certifiedType:
		v.Certified = e
	case e.Type == CertificateRefused:
		s.Tone, s.Icon = "turn", "cross"
	case e.Type == string(clock.AppealAnswered):
		v.ToChange = e.Clear.Ground == clock.AppealGranted
	case isDecision(e):
		v.Reasons, v.Decided, v.ToChange = e.Text, true, false
	}
	if v.Asked != nil && asks[v.Asked.Kind] == e.Type {
		for i := range v.Steps {
			if v.Steps[i].Seq == v.Asked.Seq {
				v.Steps[i].Tone, v.Steps[i].Icon = "done", "tick"
			}
		}
		v.Asked = nil
	}
	v.Steps = append(v.Steps, s)
}

// bars draws the period: what was counted, where it stood still, what is left.
func (v *View) bars(today gov.Date, journal []Event) {
	if !v.Pending {
		return
	}
	for i := range journal {
		if t := journal[i].Type; t == string(clock.Completed) || t == string(clock.Filed) && len(v.Missing) == 0 && v.Start.IsZero() {
			v.Start = journal[i].On
		}
	}
	end := v.Out.Due
	if end.IsZero() {
		end = today.AddDays(max(1, v.Out.Left))
	}
	if v.Start.IsZero() {
		return
	}
	v.Span = max(1, daysBetween(v.Start, end))
	at, paused := 0, false
	add := func(until int) {
		until = min(max(until, at), v.Span)
		class := "c-used"
		if paused {
			class = "c-pause"
		}
		if until > at {
			v.Bars = append(v.Bars, Bar{class, at, until - at})
		}
		at = until
	}
	open := 0
	for i := range journal {
		e := &journal[i]
		_, begins := asks[e.Type]
		ends := slices.ContainsFunc([]clock.EventType{clock.InformationReceived, clock.DoubtSettled, clock.DefectMended}, func(t clock.EventType) bool { return string(t) == e.Type })
		if !begins && !ends {
			continue
		}
		add(daysBetween(v.Start, e.On))
		if begins {
			open++
		} else {
			open = max(0, open-1)
		}
		paused = open > 0
	}
	add(daysBetween(v.Start, today))
}

// foresee adds what comes next to the story.
func (v *View) foresee(today gov.Date) {
	if v.State == clock.FiledIncomplete && !v.Due.IsZero() {
		v.Steps = append(v.Steps, Step{Kind: "later.complete", On: v.Due, Tone: "later", Icon: "upload"})
		return
	}
	if !v.Pending || v.Stopped {
		return
	}
	v.Steps = append(v.Steps, Step{Kind: "now.study", On: today, Tone: "now", Icon: "clock"},
		Step{Kind: "later.decision", On: v.Out.Due, Tone: "later", Icon: "file"})
	kind := "later.appeal"
	if v.Approves {
		kind = "later.silence"
	}
	v.Steps = append(v.Steps, Step{Kind: kind, On: v.Out.SilenceFrom, Tone: "later", Icon: "scales"})
}
