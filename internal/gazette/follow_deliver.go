package gazette

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/jobs"
	"diwan/internal/mail"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/internal/webhook"
)

// Following tells those who asked what changes in the law: feeds, mail and
// webhooks.
type Following struct {
	Gazette *Gazette
	Site    *web.Site
	Queue   *jobs.Queue
	Mail    mail.Sender // nil: no mail is sent, and nobody can order it
	Hooks   *webhook.Client
	// Old sends also what is long past, for a demonstration whose law has the
	// dates that it has.
	Old bool
}

// listenerName is the name of the cursor.
const listenerName = "follow"

// RegisterJobs adds the sending to the queue. The queue may be set later, before
// it is started.
func (f *Following) RegisterJobs(r *jobs.Registry) {
	jobs.Handle(r, f.deliver)
	jobs.Handle(r, func(ctx context.Context, _ followSweepArgs) error { return f.Gazette.forgetUnconfirmed(ctx) })
	jobs.Every(r, 12*time.Hour, func() jobs.Args { return followSweepArgs{} })
	f.Gazette.OnChange(listenerName, f.changed)
}

// followSweepArgs orders what was never confirmed to be forgotten.
type followSweepArgs struct{}

// Kind names the job.
func (followSweepArgs) Kind() string { return "gazette_follow_sweep" }

// deliverArgs orders one message about events. Confirm asks for the message that
// has an address confirmed.
type deliverArgs struct {
	Subscription string  `json:"subscription"`
	Events       []int64 `json:"events,omitempty"`
	Confirm      bool    `json:"confirm,omitempty"`
}

// Kind names the job.
func (deliverArgs) Kind() string { return "gazette_deliver" }

// changed orders the messages about events. The mark of each subscription moves
// in the same transaction: when two copies of the program are told at once, one
// of them sends.
func (f *Following) changed(ctx context.Context, events []Event) error {
	g := f.Gazette
	var sent []Event
	g.counters.changes.Add(int64(len(events)))
	for _, e := range events {
		if f.Old || e.Fresh() {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return nil
	}
	subs, err := g.subscriptions(ctx, g.store.db.Reader(), `WHERE confirmed = $1 ORDER BY id`, true)
	if err != nil || len(subs) == 0 {
		return err
	}
	m, err := g.newMatcher(ctx, sent)
	if err != nil {
		return err
	}
	for _, s := range subs {
		args := deliverArgs{Subscription: s.ID}
		for i := range sent {
			ok, err := m.match(ctx, s.Kind, s.Target, &sent[i])
			if err != nil {
				return err
			}
			if ok && sent[i].N > s.Sent {
				args.Events = append(args.Events, sent[i].N)
			}
		}
		if len(args.Events) == 0 {
			continue
		}
		last := events[len(events)-1].N
		err := g.store.db.RunTx(ctx, func(tx *db.Tx) error {
			n, err := affected(tx.ExecContext(ctx, `UPDATE gazette_subscription SET sent_n = $1 WHERE id = $2 AND sent_n < $1`, last, s.ID))
			if err != nil || n == 0 {
				return err
			}
			return f.Queue.Insert(ctx, tx, args)
		})
		if err != nil {
			return fmt.Errorf("ordering a message: %w", err)
		}
	}
	return nil
}

// deliver sends one message. An error makes the queue try again later, with
// growing pauses.
func (f *Following) deliver(ctx context.Context, a deliverArgs) error {
	s, err := f.Gazette.subscriptionByID(ctx, a.Subscription)
	if errors.Is(err, errNoSubscription) || err == nil && s.Confirmed == a.Confirm {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Confirm {
		if err := f.askConfirmation(ctx, s); !problem.Is(err, problem.NotFound) {
			return err
		}
		return nil // what was to be followed is gone
	}
	events, err := f.eventsOf(ctx, a.Events)
	if err != nil || len(events) == 0 {
		return err
	}
	switch s.Channel {
	case ChannelMail:
		err = f.mailEvents(ctx, s, events)
	case ChannelWebhook:
		err = f.hookEvents(ctx, s, events)
	}
	if err != nil {
		f.Gazette.counters.notSent.Add(1)
	} else {
		f.Gazette.counters.sent.Add(1)
	}
	return f.note(ctx, s, err)
}

// maxFailures is after how many failures in a row a webhook is given up.
const maxFailures = 40

// note keeps account of failures. A receiver that wants no more is forgotten.
// Whether mail can be sent says nothing of the reader: it fails for all of them
// at once, when the server is down.
func (f *Following) note(ctx context.Context, s *Subscription, failure error) error {
	if s.Channel == ChannelMail {
		return failure
	}
	if errors.Is(failure, webhook.ErrGone) || failure != nil && s.Failures >= maxFailures {
		return f.Gazette.unsubscribe(ctx, s.ID)
	}
	n := int64(0)
	if failure != nil {
		n = s.Failures + 1
	}
	if n == s.Failures {
		return failure
	}
	err := f.Gazette.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE gazette_subscription SET failures = $1 WHERE id = $2`, n, s.ID)
		return err
	})
	return errors.Join(failure, err)
}

func (f *Following) eventsOf(ctx context.Context, numbers []int64) ([]Event, error) {
	var out []Event
	for _, n := range numbers {
		e, err := f.Gazette.events(ctx, `WHERE n = $1`, n)
		if err != nil {
			return nil, err
		}
		out = append(out, e...)
	}
	return out, nil
}

// link is an address of the site in a message.
func (f *Following) link(l gov.Lang, path string) string {
	return f.Site.BaseURL + "/" + string(l) + path
}

// manage is the address under which a subscription is confirmed and ended.
func (f *Following) manage(s *Subscription) string {
	return f.link(s.Lang, "/law/follow/"+s.ID+"/"+s.Token())
}

func (f *Following) askConfirmation(ctx context.Context, s *Subscription) error {
	if f.Mail == nil || s.Channel != ChannelMail {
		return nil
	}
	t := f.Site.Words.Printer(string(s.Lang))
	target := s.Target
	if s.Kind == FollowQuery {
		target = wordsAlone(target)
	}
	what, err := f.describe(ctx, s.Kind, target, s.Lang)
	if err != nil {
		return err
	}
	text := t.T("law.follow.mail.confirm", "what", what) + "\n\n" + f.manage(s) + "\n\n" + t.T("law.follow.mail.ignore") + "\n"
	return f.Mail.Send(ctx, mail.Message{To: s.Address, Subject: t.T("law.follow.mail.confirm.subject"), Text: text, Lang: string(s.Lang),
		ID: s.ID + ".confirm@" + f.host(), At: f.Gazette.clock.Now()})
}

// wordsAlone leaves the words of a search and nothing that a program would take
// for an address: whoever asks for the mail is unknown, and must not be able to
// have somebody else sent what they like in our name.
func wordsAlone(s string) string {
	kept := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return r
		}
		return ' '
	}, s)
	return clipRunes(oneLine(kept), 80)
}

func (f *Following) host() string {
	if u, err := url.Parse(f.Site.BaseURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "diwan.invalid"
}

func (f *Following) mailEvents(ctx context.Context, s *Subscription, events []Event) error {
	if f.Mail == nil {
		return nil // it was switched off; the feed still tells
	}
	told, err := f.tell(ctx, s.Lang, events)
	if err != nil || len(told) == 0 {
		return err
	}
	t := f.Site.Words.Printer(string(s.Lang))
	what, err := f.describe(ctx, s.Kind, s.Target, s.Lang)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(t.T("law.follow.mail.lead", "what", what) + "\n")
	for _, e := range told {
		b.WriteString("\n" + e.Line + "\n" + e.Title + "\n" + e.URL + "\n")
	}
	b.WriteString("\n--\n" + t.T("law.follow.mail.stop") + "\n" + f.manage(s) + "\n")
	return f.Mail.Send(ctx, mail.Message{To: s.Address, Subject: t.T("law.follow.mail.subject", "title", clipRunes(told[0].Title, 120)), Text: b.String(), Lang: string(s.Lang),
		Unsubscribe: f.manage(s) + "/stop", ID: fmt.Sprintf("%s.%d@%s", s.ID, events[len(events)-1].N, f.host()), At: f.Gazette.clock.Now()})
}

func clipRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// Told is an event in words, for feeds and mails.
type Told struct {
	Event
	Line  string `json:"line"` // what happened: "Amended by law 91-26, from 15 October 2026"
	Title string `json:"title"`
	URL   string `json:"url"`
}

// tell says events in the words of a language.
func (f *Following) tell(ctx context.Context, l gov.Lang, events []Event) ([]Told, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Work, e.By)
	}
	works, err := f.Gazette.Works(ctx, ids)
	if err != nil {
		return nil, err
	}
	law := &Law{Gazette: f.Gazette, Site: f.Site}
	t := f.Site.Words.Printer(string(l))
	var out []Told
	for _, e := range events {
		w := works[e.Work]
		if w == nil {
			continue
		}
		line := t.T("law.change." + e.Type)
		if by := works[e.By]; by != nil {
			line += " · " + t.T("law.change.by") + " " + law.view(by, l).Named
		}
		if day := dateOf(e.Day); !day.IsZero() {
			line += " · " + f.Site.Formats[l].Date(day)
		}
		out = append(out, Told{e, line, law.view(w, l).Title, f.link(l, e.Work+anchor(e.EID))})
	}
	return out, nil
}

// describe names what is followed.
func (f *Following) describe(ctx context.Context, kind, target string, l gov.Lang) (string, error) {
	t := f.Site.Words.Printer(string(l))
	w, err := f.Gazette.checkTarget(ctx, kind, target)
	if err != nil {
		return "", err
	}
	title := func() string { return (&Law{Gazette: f.Gazette, Site: f.Site}).view(w, l).Title }
	switch kind {
	case FollowWork:
		return t.T("law.follow.of.work", "name", title()), nil
	case FollowCiting:
		return t.T("law.follow.of.citing", "name", title()), nil
	case FollowSubject:
		name, _ := f.Gazette.SubjectName(target).In(l, f.Site.Country.Order())
		return t.T("law.follow.of.subject", "name", name), nil
	}
	return t.T("law.follow.of.q", "name", target), nil
}

// hookEvent is an event in a webhook's message.
type hookEvent struct {
	Event
	Titles map[string]string `json:"titles"`
	URL    string            `json:"url"`
}

type hookMessage struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      hookData  `json:"data"`
}

type hookData struct {
	Subscription string      `json:"subscription"`
	Follows      string      `json:"follows"`
	Target       string      `json:"target"`
	Events       []hookEvent `json:"events,omitempty"`
}

// Types of messages of webhooks.
const (
	hookCreated = "law.subscription.created" // sent once, to have the address confirmed
	hookChanged = "law.changed"
)

func (f *Following) hookEvents(ctx context.Context, s *Subscription, events []Event) error {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Work)
	}
	works, err := f.Gazette.Works(ctx, ids)
	if err != nil {
		return err
	}
	data := hookData{Subscription: s.ID, Follows: s.Kind, Target: s.Target}
	for _, e := range events {
		h := hookEvent{Event: e, Titles: map[string]string{}, URL: f.Site.BaseURL + e.Work}
		if w := works[e.Work]; w != nil {
			for l, title := range w.Titles {
				h.Titles[twoLetters(l)] = title
			}
		}
		data.Events = append(data.Events, h)
	}
	return f.hook(ctx, s, hookChanged, fmt.Sprintf("msg_%s_%d", s.ID, events[len(events)-1].N), data)
}

// hook sends one message. Its id is the same at every attempt, and so is what it
// says, but for the time at which it is sent.
func (f *Following) hook(ctx context.Context, s *Subscription, kind, id string, data hookData) error {
	now := f.Gazette.clock.Now()
	body, err := json.Marshal(hookMessage{kind, now.UTC(), data})
	if err != nil {
		return err
	}
	return f.Hooks.Send(ctx, s.Address, s.Secret, id, now, body)
}
