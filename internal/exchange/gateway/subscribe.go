package gateway

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"diwan/internal/db"
	"diwan/protocol/xroad"
)

// subscription follows the events of one service for one system of ours: it pulls
// them from the provider's gateway and delivers them, at least once, in order for
// each subject. One node at a time works on a subscription; the others take over
// when its lease runs out.
type subscription struct {
	g      *Gateway
	config SubscriptionConfig
	client xroad.ClientID
	target xroad.ServiceID
	http   *http.Client
}

// Times of a subscription.
const (
	leaseTime    = 60 * time.Second
	deliveryTime = 15 * time.Second
	maxBackoff   = time.Hour
)

func (g *Gateway) subscriptions() []func(context.Context) {
	var out []func(context.Context)
	for _, c := range g.cfg.Subscriptions {
		target, err := xroad.ParseServiceID(c.Service)
		if err != nil {
			continue // check has refused it
		}
		s := &subscription{g: g, config: c, target: target, client: g.member, http: &http.Client{Timeout: deliveryTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
		s.client.Subsystem = c.Client
		out = append(out, g.every("events of "+c.Name, c.Every, s.work))
	}
	return out
}

// work does all that there is to do now.
func (s *subscription) work(ctx context.Context) error {
	mine, next, err := s.lease(ctx)
	if err != nil || !mine {
		return err
	}
	for more := true; more; {
		if next, more, err = s.pull(ctx, next); err != nil {
			// What was pulled before can still be delivered.
			s.g.log.Warn("exchange: events can't be pulled", "subscription", s.config.Name, "err", err)
			break
		}
	}
	for {
		n, err := s.deliver(ctx)
		if err != nil || n == 0 {
			return err
		}
		if mine, _, err := s.lease(ctx); err != nil || !mine {
			return err
		}
	}
}

// lease takes the subscription for a while, if nobody else has it.
func (s *subscription) lease(ctx context.Context) (mine bool, next int64, err error) {
	g := s.g
	now := db.Micros(g.clock.Now())
	err = g.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gateway_subscription (name, next_seq, lease, lease_until) VALUES ($1, 0, '', 0) ON CONFLICT (name) DO NOTHING`, s.config.Name)
		if err != nil {
			return err
		}
		var holder string
		var until int64
		if err := tx.QueryRowContext(ctx, `SELECT next_seq, lease, lease_until FROM gateway_subscription WHERE name = $1`, s.config.Name).Scan(&next, &holder, &until); err != nil {
			return err
		}
		if mine = holder == g.boot || until < now; !mine {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE gateway_subscription SET lease = $2, lease_until = $3 WHERE name = $1`, s.config.Name, g.boot, now+leaseTime.Microseconds())
		return err
	})
	return mine, next, err
}

// pull fetches a page and keeps it for delivery in the same transaction that moves
// the cursor.
func (s *subscription) pull(ctx context.Context, after int64) (next int64, more bool, err error) {
	page, err := s.ask(ctx, after)
	if err != nil {
		return after, false, err
	}
	if page.Next < after {
		return after, false, fmt.Errorf("the provider's cursor went back from %d to %d", after, page.Next)
	}
	if page.Next == after {
		return after, false, nil
	}
	err = s.g.db.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE gateway_subscription SET next_seq = $2 WHERE name = $1 AND next_seq = $3`, s.config.Name, page.Next, after)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			more = true
			return err // it was set back meanwhile; the next round begins there
		}
		for _, e := range page.Events {
			if err := s.keep(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || more {
		return after, false, err
	}
	return page.Next, page.More, nil
}

func (s *subscription) keep(ctx context.Context, tx *db.Tx, e numbered) error {
	event, err := readEvent(e.Event)
	if err != nil || len(e.Event) > maxEvent {
		s.g.log.Warn("exchange: an event that can't be read was left out", "subscription", s.config.Name, "seq", e.Seq, "err", err)
		return nil
	}
	if !wants(s.config.Types, event.Type) {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_delivery (subscription, seq, subject, event_id, body, attempts, next_at, dead_at, error)
		VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '') ON CONFLICT (subscription, seq) DO NOTHING`, s.config.Name, e.Seq, event.Subject, event.ID, []byte(e.Event))
	return err
}

func wants(types []string, t string) bool {
	for _, w := range types {
		if w == t {
			return true
		}
	}
	return len(types) == 0
}

// ask makes the exchange that brings a page.
func (s *subscription) ask(ctx context.Context, after int64) (*eventsAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.g.cfg.Limits.AnswerTime)
	defer cancel()
	of := s.target
	of.Code = eventsCode
	uri := "/r1/" + of.Encoded() + "?service=" + url.QueryEscape(s.target.Code) + "&after=" + strconv.FormatInt(after, 10)
	target, err := xroad.ParseTarget(uri)
	if err != nil {
		return nil, err
	}
	a, xerr := s.g.ask(ctx, &question{method: http.MethodGet, target: target, headers: xroad.Headers{Client: s.client},
		fields: []xroad.Field{{Name: "Accept", Value: "application/json"}, {Name: xroad.HeaderClient, Value: s.client.Encoded()}}})
	if xerr != nil {
		return nil, xerr
	}
	body := a.body
	if a.stream != nil {
		defer a.stream.Close()
		if body, err = io.ReadAll(io.LimitReader(a.stream, 8*maxPageBytes)); err != nil {
			return nil, err
		}
	}
	if a.status != http.StatusOK {
		return nil, fmt.Errorf("the provider answered %d", a.status)
	}
	var page eventsAnswer
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	if len(page.Events) > maxEventsPage {
		return nil, fmt.Errorf("a page of %d events", len(page.Events))
	}
	return &page, nil
}

// delivery is an event on its way to our system.
type delivery struct {
	seq      int64
	attempts int
	body     []byte
}

// deliver tries the first event of each subject whose time has come, and returns
// how many it delivered or gave up.
func (s *subscription) deliver(ctx context.Context) (moved int, err error) {
	now := s.g.clock.Now()
	var list []delivery
	err = s.g.store.each(ctx, func(r *sql.Rows) error {
		var d delivery
		err := r.Scan(&d.seq, &d.attempts, &d.body)
		list = append(list, d)
		return err
	}, `SELECT seq, attempts, body FROM gateway_delivery d WHERE subscription = $1 AND dead_at = 0 AND next_at <= $2
		AND NOT EXISTS (SELECT 1 FROM gateway_delivery e WHERE e.subscription = d.subscription AND e.dead_at = 0 AND e.subject = d.subject AND e.seq < d.seq)
		ORDER BY seq LIMIT 32`, s.config.Name, db.Micros(now))
	if err != nil {
		return 0, err
	}
	for i, d := range list {
		gone, err := s.try(ctx, d)
		if err != nil {
			return moved, err
		}
		if gone {
			moved++
		}
		if i%3 == 2 {
			if mine, _, err := s.lease(ctx); err != nil || !mine {
				return 0, err
			}
		}
	}
	return moved, nil
}

// try hands one event over; gone tells that it is no longer waiting.
func (s *subscription) try(ctx context.Context, d delivery) (gone bool, err error) {
	g := s.g
	fault := s.post(ctx, d)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if fault == nil {
		g.metrics.events.WithLabelValues("delivered").Inc()
		_, err := g.store.exec(ctx, `DELETE FROM gateway_delivery WHERE subscription = $1 AND seq = $2`, s.config.Name, d.seq)
		return true, err
	}
	now := g.clock.Now()
	dead := int64(0)
	if d.attempts++; d.attempts >= s.config.Attempts {
		dead = db.Micros(now)
		g.metrics.events.WithLabelValues("dead").Inc()
		g.log.Error("exchange: an event can't be delivered and was set aside", "subscription", s.config.Name, "seq", d.seq, "err", fault)
	} else {
		g.metrics.events.WithLabelValues("retried").Inc()
	}
	wait := min(s.config.Every<<min(d.attempts, 12), maxBackoff)
	_, err = g.store.exec(ctx, `UPDATE gateway_delivery SET attempts = $3, next_at = $4, dead_at = $5, error = $6 WHERE subscription = $1 AND seq = $2`,
		s.config.Name, d.seq, d.attempts, db.Micros(now.Add(wait)), dead, fault.Error())
	return dead != 0, err
}

func (s *subscription) post(ctx context.Context, d delivery) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.config.URL, bytes.NewReader(d.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", eventsType)
	req.Header.Set(xroad.HeaderService, s.target.Encoded())
	req.Header.Set("Diwan-Event-Seq", strconv.FormatInt(d.seq, 10))
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the system answered %d", resp.StatusCode)
	}
	return nil
}

// DeadEvent is an event that could not be delivered.
type DeadEvent struct {
	Subscription, Subject, Event, Error string
	Seq                                 int64
	Attempts                            int
	At                                  time.Time
}

// DeadEvents lists them; of one subscription, or of all.
func (g *Gateway) DeadEvents(ctx context.Context, name string) ([]DeadEvent, error) {
	out := []DeadEvent{}
	err := g.store.each(ctx, func(r *sql.Rows) error {
		var d DeadEvent
		var at int64
		err := r.Scan(&d.Subscription, &d.Seq, &d.Subject, &d.Event, &d.Attempts, &at, &d.Error)
		d.At = db.Time(at)
		out = append(out, d)
		return err
	}, `SELECT subscription, seq, subject, event_id, attempts, dead_at, error FROM gateway_delivery WHERE dead_at > 0 AND ($1 = '' OR subscription = $1) ORDER BY subscription, seq LIMIT 1000`, name)
	return out, err
}

// RetryDead lets the dead letters of a subscription be tried again.
func (g *Gateway) RetryDead(ctx context.Context, name string) (int64, error) {
	return g.store.exec(ctx, `UPDATE gateway_delivery SET dead_at = 0, attempts = 0, next_at = 0 WHERE subscription = $1 AND dead_at > 0`, name)
}

// ReplayEvents sets a subscription back: everything after a number is pulled and
// delivered again, as far as the provider keeps it.
func (g *Gateway) ReplayEvents(ctx context.Context, name string, after int64) error {
	n, err := g.store.exec(ctx, `UPDATE gateway_subscription SET next_seq = $2 WHERE name = $1`, name, after)
	if err == nil && n == 0 {
		return &badRequest{"there is no such subscription"}
	}
	return err
}

// SubscriptionState is how far a subscription is.
type SubscriptionState struct {
	Name          string
	Next          int64
	Waiting, Dead int64
}

// SubscriptionStates lists them.
func (g *Gateway) SubscriptionStates(ctx context.Context) ([]SubscriptionState, error) {
	out := []SubscriptionState{}
	err := g.store.each(ctx, func(r *sql.Rows) error {
		var s SubscriptionState
		err := r.Scan(&s.Name, &s.Next, &s.Waiting, &s.Dead)
		out = append(out, s)
		return err
	}, `SELECT s.name, s.next_seq, (SELECT count(*) FROM gateway_delivery d WHERE d.subscription = s.name AND d.dead_at = 0),
		(SELECT count(*) FROM gateway_delivery d WHERE d.subscription = s.name AND d.dead_at > 0) FROM gateway_subscription s ORDER BY s.name`)
	return out, err
}
