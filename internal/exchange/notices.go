package exchange

import (
	"context"
	"database/sql"
	"encoding/hex"
	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
)

// Sides of an exchange.
const (
	Asked    = "asked"
	Answered = "answered"
)

// Notice is one exchange about a person, without its content, as one of the two
// gateways reported it.
type Notice struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Side      string    `json:"side"`
	Client    string    `json:"client"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Contract  string    `json:"contract"`
	Subject   string    `json:"subject"`
	Request   string    `json:"request_id"`
	Status    int       `json:"status"`
	Member    string    `json:"-"` // that reported it
}

// maxReported bounds what a gateway reports at once.
const maxReported = 1000

// Report keeps what a gateway reports. It may speak for its own side only: a
// member can't invent what another did.
func (x *Exchange) Report(ctx context.Context, by Caller, list []Notice) error {
	if len(list) > maxReported {
		return problem.New(problem.TooLarge, "exchange.too_long")
	}
	for _, n := range list {
		own := n.Client
		if n.Side == Answered {
			own = n.Service
		}
		_, err := hex.DecodeString(n.Subject)
		long := len(n.ID) > 100 || len(n.Client) > 300 || len(n.Service) > 300 || len(n.Operation) > maxWords || len(n.Contract) > 200 || len(n.Request) > 100
		if n.ID == "" || n.Side != Asked && n.Side != Answered || memberOf(own) != by.Member || len(n.Subject) != 64 || err != nil || long || n.At.IsZero() {
			return problem.New(problem.Invalid, "exchange.notice")
		}
	}
	return x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		for _, n := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO exchange_notice (id, member, side, at, client, service, operation, contract, subject, request, status)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id, member, side) DO NOTHING`,
				n.ID, by.Member, n.Side, db.Micros(n.At), n.Client, n.Service, n.Operation, n.Contract, n.Subject, n.Request, n.Status)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Access is one exchange about a person as the person sees it: both sides'
// reports brought together by the request's identifier.
type Access struct {
	Notice
	Asked, Answered bool // which sides have reported it
	Agreement       *Agreement
}

// Accesses lists what was exchanged about a person, the newest first.
func (x *Exchange) Accesses(ctx context.Context, subject string, limit, offset int) (list []*Access, total int, err error) {
	q := x.store.db.Reader()
	if err := q.QueryRowContext(ctx, `SELECT count(DISTINCT request) FROM exchange_notice WHERE subject = $1`, subject).Scan(&total); err != nil {
		return nil, 0, err
	}
	byRequest := map[string]*Access{}
	err = each(ctx, q, func(r *sql.Rows) error {
		var n Notice
		var at int64
		if err := r.Scan(&n.ID, &n.Member, &n.Side, &at, &n.Client, &n.Service, &n.Operation, &n.Contract, &n.Subject, &n.Request, &n.Status); err != nil {
			return err
		}
		n.At = db.Time(at)
		a := byRequest[n.Request]
		if a == nil {
			a = &Access{Notice: n}
			byRequest[n.Request] = a
			list = append(list, a)
		}
		a.Asked, a.Answered = a.Asked || n.Side == Asked, a.Answered || n.Side == Answered
		return nil
	}, `SELECT id, member, side, at, client, service, operation, contract, subject, request, status FROM exchange_notice WHERE subject = $1
		AND request IN (SELECT request FROM exchange_notice WHERE subject = $1 GROUP BY request ORDER BY max(at) DESC, request LIMIT $2 OFFSET $3) ORDER BY at DESC, request, side`,
		subject, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range list {
		if a.Agreement, err = x.Agreement(ctx, a.Contract); err != nil && problem.From(err).Kind != problem.NotFound {
			return nil, 0, err
		}
	}
	return list, total, nil
}

// Usage is what passed between a client and a service in one hour.
type Usage struct {
	Hour        time.Time `json:"hour"`
	Side        string    `json:"side"`
	Client      string    `json:"client"`
	Service     string    `json:"service"`
	Calls       int64     `json:"calls"`
	Errors      int64     `json:"errors"`
	Bytes       int64     `json:"bytes"`
	MillisTotal int64     `json:"millis_total"`
	MillisMax   int64     `json:"millis_max"`
}

// ReportUsage keeps counters of a node; those of an hour replace what it said of
// that hour before.
func (x *Exchange) ReportUsage(ctx context.Context, by Caller, list []Usage) error {
	if len(list) > maxReported {
		return problem.New(problem.TooLarge, "exchange.too_long")
	}
	for _, u := range list {
		own := u.Client
		if u.Side == Answered {
			own = u.Service
		}
		if u.Side != Asked && u.Side != Answered || memberOf(own) != by.Member || len(u.Client) > 300 || len(u.Service) > 300 || u.Calls < 0 || u.Errors < 0 || u.Bytes < 0 ||
			!u.Hour.Truncate(time.Hour).Equal(u.Hour) {
			return problem.New(problem.Invalid, "exchange.usage")
		}
	}
	return x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		for _, u := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO exchange_usage (hour, member, node, side, client, service, calls, errors, bytes, millis_total, millis_max)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (hour, member, node, side, client, service) DO UPDATE SET calls = excluded.calls,
				errors = excluded.errors, bytes = excluded.bytes, millis_total = excluded.millis_total, millis_max = excluded.millis_max`,
				db.Micros(u.Hour), by.Member, by.Node, u.Side, u.Client, u.Service, u.Calls, u.Errors, u.Bytes, u.MillisTotal, u.MillisMax)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE exchange_node SET seen_at = $3 WHERE member = $1 AND name = $2`, by.Member, by.Node, db.Micros(x.clock.Now()))
		return err
	})
}

// Traffic sums what passed since a moment, by service, as those who answered
// counted it; the busiest first.
func (x *Exchange) Traffic(ctx context.Context, since time.Time, limit int) (list []Usage, err error) {
	err = each(ctx, x.store.db.Reader(), func(r *sql.Rows) error {
		var u Usage
		if err := r.Scan(&u.Service, &u.Calls, &u.Errors, &u.Bytes, &u.MillisTotal, &u.MillisMax); err != nil {
			return err
		}
		list = append(list, u)
		return nil
	}, `SELECT service, sum(calls), sum(errors), sum(bytes), sum(millis_total), max(millis_max) FROM exchange_usage WHERE hour >= $1 AND side = $2
		GROUP BY service ORDER BY 2 DESC, 1 LIMIT $3`, db.Micros(since), Answered, limit)
	return list, err
}
