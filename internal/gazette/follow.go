package gazette

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/webhook"
)

// What somebody can follow.
const (
	FollowWork    = "work"    // what happens to a text
	FollowCiting  = "citing"  // who names a text
	FollowSubject = "subject" // the texts of a subject
	FollowQuery   = "q"       // texts that hold all words of a search
)

// FollowKinds lists them; they are the names of parameters in addresses.
var FollowKinds = []string{FollowWork, FollowCiting, FollowSubject, FollowQuery}

// How those who follow are told, besides feeds, for which nobody signs up.
const (
	ChannelMail    = "mail"
	ChannelWebhook = "webhook"
)

// Subscription is somebody's wish to be told. It is not active before the address
// is confirmed, and nothing of it is left when it ends.
type Subscription struct {
	ID           string
	Kind, Target string
	Lang         gov.Lang
	Channel      string
	Address      string
	Secret       string // of the webhook's signatures; of the links in mails
	Confirmed    bool
	Sent         int64 // number of the last event that was looked at
	Failures     int64
	Created      time.Time
}

// Token lets whoever holds it confirm and end the subscription; it stands in the
// links of its mails.
func (s *Subscription) Token() string {
	m := hmac.New(sha256.New, []byte(s.Secret))
	m.Write([]byte("manage " + s.ID))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// Bounds that keep strangers from filling the table or somebody's mailbox.
const (
	maxFollowQuery   = 200
	maxUnconfirmed   = 3  // requests to one address that wait for an answer
	maxSubscriptions = 50 // of one address
	unconfirmedDays  = 7
)

const subscriptionColumns = `id, kind, target, lang, channel, address, secret, confirmed, sent_n, failures, created_at`

func (s *Subscription) row() []any {
	return []any{s.ID, s.Kind, s.Target, string(s.Lang), s.Channel, s.Address, s.Secret, s.Confirmed, s.Sent, s.Failures, db.Micros(s.Created)}
}

func (g *Gazette) subscriptions(ctx context.Context, q querier, where string, args ...any) ([]*Subscription, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+subscriptionColumns+` FROM gazette_subscription `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading subscriptions: %w", err)
	}
	defer rows.Close()
	var out []*Subscription
	for rows.Next() {
		var s Subscription
		var created int64
		if err := rows.Scan(&s.ID, &s.Kind, &s.Target, &s.Lang, &s.Channel, &s.Address, &s.Secret, &s.Confirmed, &s.Sent, &s.Failures, &created); err != nil {
			return nil, fmt.Errorf("reading subscriptions: %w", err)
		}
		s.Created = db.Time(created)
		out = append(out, &s)
	}
	return out, rows.Err()
}

// Subscription returns a subscription to whoever holds its token.
func (g *Gazette) Subscription(ctx context.Context, id, token string) (*Subscription, error) {
	missing := problem.New(problem.NotFound, "law.follow.missing")
	if !validID(id) {
		return nil, missing
	}
	list, err := g.subscriptions(ctx, g.store.db.Reader(), `WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || !hmac.Equal([]byte(list[0].Token()), []byte(token)) {
		return nil, missing
	}
	return list[0], nil
}

// checkTarget reports whether there is something of this kind to follow, and its
// name in the title of a feed.
func (g *Gazette) checkTarget(ctx context.Context, kind, target string) (*model.Work, error) {
	switch kind {
	case FollowWork, FollowCiting:
		return g.store.work(ctx, g.store.db.Reader(), target)
	case FollowSubject:
		if validID(target) {
			var n int
			err := g.store.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_work WHERE subject = $1`, target).Scan(&n)
			if err != nil || n > 0 {
				return nil, err
			}
		}
	case FollowQuery:
		if len(target) <= maxFollowQuery && len(g.words.of(target)) > 0 {
			return nil, nil
		}
	}
	return nil, problem.New(problem.NotFound, "law.follow.target")
}

// subscribe writes a subscription that is not confirmed yet. It returns nil
// without an error when the same wish is there already or too many wait for an
// answer: whoever asks learns nothing of the address. One mailbox written in
// capitals and in small letters counts as one.
func (g *Gazette) subscribe(ctx context.Context, s Subscription) (*Subscription, error) {
	s.ID, s.Secret, s.Created = gov.NewID(), webhook.NewSecret(), g.clock.Now()
	added := &s
	err := g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		added = &s
		same, err := g.subscriptions(ctx, tx, `WHERE channel = $1 AND lower(address) = lower($2) ORDER BY id LIMIT $3`, s.Channel, s.Address, maxSubscriptions+1)
		if err != nil {
			return err
		}
		waiting := 0
		for _, o := range same {
			if !o.Confirmed {
				waiting++
			}
			if o.Kind == s.Kind && o.Target == s.Target && o.Confirmed && (s.Channel == ChannelMail || o.Address == s.Address) {
				added = nil
			}
		}
		if added == nil || waiting >= maxUnconfirmed || len(same) >= maxSubscriptions {
			added = nil
			return nil
		}
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(max(n), 0) FROM gazette_event`).Scan(&s.Sent); err != nil {
			return err
		}
		return g.store.insert(ctx, tx, "gazette_subscription", subscriptionColumns, [][]any{s.row()})
	})
	if err != nil {
		return nil, fmt.Errorf("subscribing: %w", err)
	}
	return added, nil
}

// confirm makes a subscription active from now on.
func (g *Gazette) confirm(ctx context.Context, s *Subscription) error {
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE gazette_subscription SET confirmed = $1, sent_n = (SELECT COALESCE(max(n), 0) FROM gazette_event)
			WHERE id = $2 AND confirmed = $3`, true, s.ID, false)
		return err
	})
}

// unsubscribe forgets a subscription and its address.
func (g *Gazette) unsubscribe(ctx context.Context, id string) error {
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM gazette_subscription WHERE id = $1`, id)
		return err
	})
}

// forgetUnconfirmed drops the wishes that nobody confirmed.
func (g *Gazette) forgetUnconfirmed(ctx context.Context) error {
	before := db.Micros(g.clock.Now().AddDate(0, 0, -unconfirmedDays))
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM gazette_subscription WHERE confirmed = $1 AND created_at < $2`, false, before)
		return err
	})
}

// matcher tells which events concern a wish.
type matcher struct {
	g     *Gazette
	works map[string]*model.Work
	rev   int64
}

func (g *Gazette) newMatcher(ctx context.Context, events []Event) (*matcher, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Work, e.By)
	}
	rev, err := g.Revision(ctx)
	if err != nil {
		return nil, err
	}
	works, err := g.Works(ctx, ids)
	return &matcher{g: g, works: works, rev: rev}, err
}

func (m *matcher) match(ctx context.Context, kind, target string, e *Event) (bool, error) {
	if (e.Type == EventCited) != (kind == FollowCiting) {
		return false, nil
	}
	switch kind {
	case FollowWork, FollowCiting:
		return e.Work == target, nil
	case FollowSubject:
		w := m.works[e.Work]
		return w != nil && w.Subject == target, nil
	case FollowQuery:
		want := m.g.words.of(target)
		have, err := m.wordsOf(ctx, e.Work)
		for _, w := range want {
			if _, ok := slices.BinarySearch(have, w); !ok {
				return false, err
			}
		}
		return len(want) > 0, err
	}
	return false, nil
}

// Matching returns what happened to what somebody follows, the newest first:
// the latest of the last recent events.
func (g *Gazette) Matching(ctx context.Context, kind, target string, limit int) ([]Event, error) {
	if _, err := g.checkTarget(ctx, kind, target); err != nil {
		return nil, err
	}
	var events []Event
	var err error
	switch kind {
	case FollowWork:
		events, err = g.events(ctx, `WHERE work = $1 AND type <> $2 ORDER BY n DESC LIMIT $3`, target, EventCited, limit)
		return events, err
	case FollowCiting:
		return g.events(ctx, `WHERE work = $1 AND type = $2 ORDER BY n DESC LIMIT $3`, target, EventCited, limit)
	case FollowSubject:
		return g.events(ctx, `WHERE type <> $1 AND work IN (SELECT id FROM gazette_work WHERE subject = $2) ORDER BY n DESC LIMIT $3`, EventCited, target, limit)
	}
	if events, err = g.events(ctx, `WHERE type <> $1 ORDER BY n DESC LIMIT $2`, EventCited, maxLooked); err != nil {
		return nil, err
	}
	m, err := g.newMatcher(ctx, events)
	if err != nil {
		return nil, err
	}
	var out []Event
	for i := range events {
		ok, err := m.match(ctx, kind, target, &events[i])
		if err != nil {
			return nil, err
		}
		if ok && len(out) < limit {
			out = append(out, events[i])
		}
	}
	return out, nil
}

// maxLooked is how many events a saved search looks back over.
const maxLooked = 200

// errNoSubscription says that somebody ended it meanwhile.
var errNoSubscription = errors.New("the subscription has ended")

func (g *Gazette) subscriptionByID(ctx context.Context, id string) (*Subscription, error) {
	list, err := g.subscriptions(ctx, g.store.db.Reader(), `WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = errNoSubscription
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
