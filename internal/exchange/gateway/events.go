package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/protocol/xroad"
)

// Events of a service travel as exchanges like any other: a subscriber's gateway
// asks this reserved code of the provider's subsystem for what came after a
// cursor. So they are signed, recorded and under contract, and need no way from
// the provider to the subscriber.
const (
	eventsCode = "diwan-events"
	// eventsPath is where a provider's system hands an event to its gateway.
	eventsPath = "/events"
	eventsType = "application/cloudevents+json"
)

// Bounds of events.
const (
	maxEvent      = 256 << 10
	maxEventText  = 500
	maxEventsPage = 100
	maxPageBytes  = 768 << 10
)

// cloudEvent is what is read of an event (CloudEvents 1.0, JSON format); the rest
// passes as it was written.
type cloudEvent struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	Subject     string `json:"subject"`
}

func readEvent(body []byte) (cloudEvent, error) {
	var e cloudEvent
	if !utf8.Valid(body) {
		return e, errors.New("the event is not UTF-8")
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return e, errors.New("the event is not a JSON object")
	}
	switch {
	case e.SpecVersion != "1.0":
		return e, errors.New("specversion is not 1.0")
	case e.ID == "" || e.Source == "" || e.Type == "":
		return e, errors.New("id, source or type is missing")
	case len(e.ID) > maxEventText || len(e.Source) > maxEventText || len(e.Type) > maxEventText || len(e.Subject) > maxEventText:
		return e, errors.New("an attribute is too long")
	}
	return e, nil
}

// publish takes an event from a system of ours. An event with the source and id
// of one that was taken before is that event: it is not taken twice.
func (e *edge) publish(w http.ResponseWriter, r *http.Request) {
	g := e.g
	refuse := func(code xroad.Code, message string) { e.fail(w, r, here(code, message)) }
	if r.Method != http.MethodPost {
		refuse(xroad.InvalidRequest, "an event is handed over by POST")
		return
	}
	headers, err := xroad.ReadHeaders(r.Header)
	if err != nil {
		e.fail(w, r, failed(err))
		return
	}
	if xerr := e.authenticate(r, headers.Client); xerr != nil {
		e.fail(w, r, xerr)
		return
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != eventsType {
		refuse(xroad.InvalidRequest, "an event is of type "+eventsType)
		return
	}
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.cfg.Limits.BodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	if err != nil {
		refuse(xroad.InvalidRequest, "the event is too long or broke off")
		return
	}
	event, err := readEvent(body)
	if err != nil {
		refuse(xroad.InvalidRequest, err.Error())
		return
	}
	service, xerr := g.publisher(headers.Client, event.Type, r.Header.Get("Diwan-Service"))
	if xerr != nil {
		e.fail(w, r, xerr)
		return
	}
	seq, err := g.store.putEvent(r.Context(), headers.Client.Subsystem, service, event, body, g.clock.Now())
	if err != nil {
		g.log.Error("exchange: an event can't be kept", "err", err)
		refuse(xroad.DatabaseError, "the event can't be kept now")
		return
	}
	g.metrics.events.WithLabelValues("published").Inc()
	writeJSON(w, http.StatusAccepted, map[string]int64{"seq": seq})
}

// publisher finds the service of a subsystem that publishes events of a type.
func (g *Gateway) publisher(client xroad.ClientID, eventType, code string) (string, *xroad.Error) {
	t := g.valid(g.clock.Now())
	if t == nil {
		return "", here(xroad.GlobalConfOutdated, "")
	}
	if sub, ok := t.view.Subsystem(client); ok {
		for i := range sub.Services {
			s := &sub.Services[i]
			if (code == "" || code == s.Code) && slices.Contains(s.Events, eventType) {
				return client.String() + "/" + s.Code, nil
			}
		}
	}
	return "", here(xroad.UnknownService, "no service of "+client.String()+" publishes events of this type")
}

// eventCounter numbers events. A number is given in the transaction that keeps the
// event, and the row stays locked until its end: who has read up to a number has
// missed nothing before it.
const eventCounter = "event"

func (s store) putEvent(ctx context.Context, subsystem, service string, e cloudEvent, body []byte, now time.Time) (seq int64, err error) {
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT seq FROM gateway_event WHERE subsystem = $1 AND source = $2 AND event_id = $3`, subsystem, e.Source, e.ID).Scan(&seq)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = tx.QueryRowContext(ctx, `INSERT INTO gateway_counter (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = gateway_counter.n + 1 RETURNING n`, eventCounter).Scan(&seq)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO gateway_event (seq, subsystem, service, source, event_id, type, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			seq, subsystem, service, e.Source, e.ID, e.Type, body, db.Micros(now))
		return err
	})
	return seq, err
}

// eventsAnswer is a page of events. Next is the cursor to go on from; more tells
// that it is worth to do so at once.
type eventsAnswer struct {
	Events []numbered `json:"events"`
	Next   int64      `json:"next"`
	More   bool       `json:"more"`
}

type numbered struct {
	Seq   int64           `json:"seq"`
	Event json.RawMessage `json:"event"`
}

// events answers what came after a cursor, of the types that a contract names and
// with the fields of data that it allows.
func (p *provider) events(ctx context.Context, in *incoming) ([]byte, error) {
	g := p.g
	code, _ := xroad.QueryParam(in.target.Query, "service", false)
	text, _ := xroad.QueryParam(in.target.Query, "after", false)
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return nil, refused(xroad.InvalidRequest)
	}
	id := xroad.ServiceID{Provider: in.target.Service.Provider, Code: code}
	var grants []*grant
	for _, c := range g.policy.Load().grants[pair{in.headers.Client.String(), id.String()}] {
		if len(c.Properties.Events) > 0 && !in.now.Before(c.From) && in.now.Before(c.Until) {
			grants = append(grants, c)
		}
	}
	if len(grants) == 0 {
		return nil, refused(xroad.AccessDenied)
	}
	if g.closed.Load() != nil {
		return nil, refused(xroad.MaintenanceMode)
	}
	if !grants[0].meter.admit(in.now) {
		return nil, refusedAs(typeRateLimited)
	}
	page, err := g.store.eventsAfter(ctx, id.String(), after, func(kind string, body []byte) ([]byte, bool) {
		for _, c := range grants {
			if c.Follows(kind, in.now) {
				return filteredEvent(body, c.Filter)
			}
		}
		return nil, false
	})
	if err != nil {
		g.log.Error("exchange: events can't be read", "err", err)
		return nil, refused(xroad.DatabaseError)
	}
	b, err := json.Marshal(page)
	if err != nil {
		return nil, refused(xroad.InternalError)
	}
	grants[0].meter.spend(int64(len(b)), in.now)
	return b, nil
}

func (s store) eventsAfter(ctx context.Context, service string, after int64, pass func(kind string, body []byte) ([]byte, bool)) (*eventsAnswer, error) {
	page := &eventsAnswer{Events: []numbered{}, Next: after}
	size, n := 0, 0
	err := s.each(ctx, func(r *sql.Rows) error {
		var seq int64
		var kind string
		var body []byte
		if err := r.Scan(&seq, &kind, &body); err != nil {
			return err
		}
		if n++; size > 0 && size+len(body) > maxPageBytes || page.More {
			page.More = true
			return nil
		}
		page.Next = seq
		if b, ok := pass(kind, body); ok {
			page.Events = append(page.Events, numbered{seq, b})
			size += len(b)
		}
		return nil
	}, `SELECT seq, type, body FROM gateway_event WHERE service = $1 AND seq > $2 ORDER BY seq LIMIT $3`, service, after, maxEventsPage)
	page.More = page.More || n == maxEventsPage
	return page, err
}

// filteredEvent brings the data of an event down to the agreed fields. Data that
// can't be is left out: the event itself is what was promised.
func filteredEvent(body []byte, f *contract.Filter) ([]byte, bool) {
	if f == nil {
		return body, true
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		return nil, false
	}
	delete(all, "data_base64")
	if data, ok := all["data"]; ok {
		delete(all, "data")
		if out, err := f.Apply(data); err == nil {
			all["data"] = out
		}
	}
	out, err := json.Marshal(all)
	return out, err == nil
}
