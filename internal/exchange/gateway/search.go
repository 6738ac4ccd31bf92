package gateway

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/protocol/xroad"
)

// Search says which exchanges are asked for; what is empty is not asked.
type Search struct {
	From, To         time.Time
	Side             string // asked or answered
	Client, Service  string
	Request, Message string // request id, X-Road-Id
	Subject          string
	Status           int  // exact
	Failed           bool // refused by a gateway, or answered with 500 and above
	Limit            int  // 100; at most 1000
	// Before continues a list: only what is older than this moment and, in it,
	// has a lower request id.
	Before        time.Time
	BeforeRequest string
}

// Exchange is one exchange on one side, as the index has it. The two numbers are
// those of its records in the journal of the node.
type Exchange struct {
	Node        string    `json:"node"`
	Request     string    `json:"request_id"`
	Side        string    `json:"side"`
	At          time.Time `json:"at"`
	Client      string    `json:"client"`
	Service     string    `json:"service"`
	Method      string    `json:"method"`
	Operation   string    `json:"operation"`
	Message     string    `json:"message_id"`
	Subject     string    `json:"subject,omitempty"`
	Contract    string    `json:"contract,omitempty"`
	Status      int       `json:"status,omitempty"`
	Fault       string    `json:"fault,omitempty"`
	RequestSeq  int64     `json:"request_seq,omitempty"`
	ResponseSeq int64     `json:"response_seq,omitempty"`
}

const maxFound = 1000

// Exchanges searches the index, the newest first.
func (g *Gateway) Exchanges(ctx context.Context, s Search) ([]Exchange, error) {
	return g.store.exchanges(ctx, s)
}

func (s store) exchanges(ctx context.Context, q Search) ([]Exchange, error) {
	var where []string
	var args []any
	add := func(ask bool, condition string, values ...any) {
		if !ask {
			return
		}
		n := len(args)
		for i := range values {
			condition = strings.ReplaceAll(condition, fmt.Sprintf("?%d", i+1), fmt.Sprintf("$%d", n+i+1))
		}
		where, args = append(where, condition), append(args, values...)
	}
	add(!q.From.IsZero(), "at >= ?1", db.Micros(q.From))
	add(!q.To.IsZero(), "at < ?1", db.Micros(q.To))
	add(q.Side != "", "side = ?1", q.Side)
	add(q.Client != "", "client = ?1", q.Client)
	add(q.Service != "", "service = ?1", q.Service)
	add(q.Request != "", "request = ?1", q.Request)
	add(q.Message != "", "message_id = ?1", q.Message)
	add(q.Subject != "", "subject = ?1 AND subject <> ''", q.Subject)
	add(q.Status != 0, "status = ?1", q.Status)
	add(q.Failed, "(fault <> '' OR status >= 500)")
	add(!q.Before.IsZero(), "(at < ?1 OR at = ?1 AND request < ?2)", db.Micros(q.Before), q.BeforeRequest)
	query := `SELECT node, request, side, at, client, service, method, operation, message_id, subject, contract, status, fault, request_seq, response_seq FROM gateway_exchange`
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	query += fmt.Sprintf(" ORDER BY at DESC, request DESC, side LIMIT %d", min(q.Limit, maxFound))
	out := []Exchange{}
	err := s.each(ctx, func(r *sql.Rows) error {
		var e Exchange
		var at int64
		err := r.Scan(&e.Node, &e.Request, &e.Side, &at, &e.Client, &e.Service, &e.Method, &e.Operation, &e.Message, &e.Subject, &e.Contract, &e.Status, &e.Fault, &e.RequestSeq, &e.ResponseSeq)
		e.At = db.Time(at)
		out = append(out, e)
		return err
	}, query, args...)
	return out, err
}

// Monitoring returns records of operational monitoring since a moment, the
// oldest first, as X-Road has them.
func (g *Gateway) Monitoring(ctx context.Context, since time.Time, limit int) ([]xroad.Monitoring, error) {
	out := []xroad.Monitoring{}
	err := g.store.each(ctx, func(r *sql.Rows) error {
		var body string
		if err := r.Scan(&body); err != nil {
			return err
		}
		var m xroad.Monitoring
		err := json.Unmarshal([]byte(body), &m)
		out = append(out, m)
		return err
	}, `SELECT body FROM gateway_monitoring WHERE at >= $1 ORDER BY at, id LIMIT $2`, db.Micros(since), min(max(limit, 1), maxFound))
	return out, err
}
