package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/journal"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// journalCursor names the last record of the journal that the index holds.
const journalCursor = "journal"

// The follower takes a batch at a time, in the gateway's leisure: under full load
// the index falls behind, and catches up afterwards.
const (
	indexBatch = 256
	indexWait  = 100 * time.Millisecond
)

// follow reads the journal into the index, from where it stopped last. What the
// directory must be told of exchanges about people is written in the same
// transaction, so that none is forgotten and none told twice.
func (g *Gateway) follow(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		err := g.followOn(ctx)
		if ctx.Err() != nil {
			return
		}
		failures++
		g.log.Error("exchange: the journal can't be indexed", "failures", failures, "err", err)
		if !pause(ctx, min(time.Second<<min(failures, 6), time.Minute)) {
			return
		}
	}
}

func (g *Gateway) followOn(ctx context.Context) error {
	text, err := g.store.cursor(ctx, journalCursor)
	if err != nil {
		return err
	}
	at, _ := strconv.ParseUint(text, 10, 64)
	first, err := journal.First(g.journalDir())
	if err != nil {
		return err
	}
	at = max(at, max(first, 1)-1)
	g.indexedTo.Store(at)
	r := g.journal.Reader(at + 1)
	defer r.Close()
	for {
		last, _ := g.journal.Durable()
		var full bool
		err := g.leisure.spend(ctx, last-min(last, g.indexedTo.Load()), func() (err error) {
			full, err = g.indexNext(ctx, r)
			return err
		})
		if err != nil {
			return err
		}
		if full {
			continue
		}
		if err := g.journal.WaitBeyond(ctx, g.indexedTo.Load()); err != nil {
			return err
		}
		if !pause(ctx, indexWait) {
			return ctx.Err()
		}
	}
}

// indexNext takes one batch in, and tells whether there may be more.
func (g *Gateway) indexNext(ctx context.Context, r *journal.Reader) (full bool, err error) {
	batch := newBatch(g)
	if full, err = batch.fill(r); err != nil || batch.last == 0 {
		return full, err
	}
	if err := batch.write(ctx); err != nil {
		return false, err
	}
	g.indexedTo.Store(batch.last)
	g.metrics.indexed.Add(float64(batch.n))
	return full, nil
}

func (g *Gateway) journalDir() string { return g.cfg.Data + "/" + journalFolder }

// batch is what some records of the journal say.
type batch struct {
	g    *Gateway
	rows map[rowKey]*row
	keys []rowKey
	last uint64
	n    int
}

type rowKey struct{ side, request string }

// row is one exchange on one side, as far as the records of a batch tell.
type row struct {
	at                                 time.Time
	client, service, method, operation string
	path                               string
	messageID, subject, contract       string
	status                             int
	fault                              string
	requestSeq, responseSeq            uint64
}

func newBatch(g *Gateway) *batch { return &batch{g: g, rows: map[rowKey]*row{}} }

// fill reads records until there are enough or no more.
func (b *batch) fill(r *journal.Reader) (full bool, err error) {
	for b.n < indexBatch {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		b.take(e)
		b.last, b.n = e.Seq, b.n+1
	}
	return true, nil
}

func (b *batch) row(side, request string) *row {
	k := rowKey{side, request}
	r := b.rows[k]
	if r == nil {
		r = &row{}
		b.rows[k] = r
		b.keys = append(b.keys, k)
	}
	return r
}

// take adds what one record says. A record that says nothing readable stays in
// the journal; the index leaves it out.
func (b *batch) take(e journal.Entry) {
	switch {
	case e.Message != nil:
		b.message(e, e.Message.Envelope.Kind(), uuid(e.Message.Envelope.ID()), e.Message.Sent, e.Message.Head)
	case e.Type == noteHTTP:
		if n, err := readHTTPNote(e.Payload); err == nil {
			kind := link.KindRequest
			if n.response {
				kind = link.KindResponse
			}
			b.message(e, kind, uuid(n.id), n.sent, n.head)
		}
	case e.Type == noteRefusal && len(e.Payload) > 17:
		side := directory.Answered
		if e.Payload[16] == 1 {
			side = directory.Asked
		}
		r := b.row(side, uuid([16]byte(e.Payload[:16])))
		r.fault = string(e.Payload[17:])
		if r.at.IsZero() {
			r.at = e.At
		}
	}
}

func (b *batch) message(e journal.Entry, kind link.Kind, id string, sent bool, head []byte) {
	switch kind {
	case link.KindRequest:
		h, err := xroad.ParseRequestHead(head)
		if err != nil {
			return
		}
		side := directory.Answered
		if sent {
			side = directory.Asked
		}
		b.request(b.row(side, id), e, h)
	case link.KindResponse:
		h, err := xroad.ParseResponseHead(head)
		if err != nil {
			return
		}
		side := directory.Asked
		if sent {
			side = directory.Answered
		}
		r := b.row(side, id)
		r.responseSeq, r.status, r.contract = e.Seq, h.Status, h.Get(contractHeader)
		if r.at.IsZero() {
			r.at = e.At
		}
	}
}

func (b *batch) request(r *row, e journal.Entry, h xroad.RequestHead) {
	r.at, r.requestSeq, r.method = e.At, e.Seq, h.Method
	r.messageID, r.subject = h.Get(xroad.HeaderID), subjectOf(h)
	if c, err := xroad.ParseClientID(h.Get(xroad.HeaderClient)); err == nil {
		r.client = c.String()
	}
	if t, err := xroad.ParseTarget(h.Target); err == nil {
		r.service, r.path = t.Service.String(), t.ServicePath
		r.operation = b.g.operation(r.client, r.service, h.Method, t.ServicePath)
	}
}

// subjectHeader names the person whom an exchange is about, by their sectoral
// reference.
const (
	subjectHeader = "Diwan-Subject"
	subjectPrefix = "subject:"
)

// subjectOf returns the reference, "" when the exchange is about nobody or about
// somebody under a name that is none of ours: such a name never leaves this
// gateway.
func subjectOf(h xroad.RequestHead) string {
	s := h.Get(subjectHeader)
	if s == "" {
		s, _ = strings.CutPrefix(h.Get(xroad.HeaderUserID), subjectPrefix)
		if s == h.Get(xroad.HeaderUserID) {
			return ""
		}
	}
	s = strings.ToLower(s)
	if b, err := hex.DecodeString(s); err != nil || len(b) != 32 {
		return ""
	}
	return s
}

// operation names what was asked for without what was asked about: the pattern
// of the contract or of the directory, never the path, which often holds a
// person's number.
func (g *Gateway) operation(client, service, method, path string) string {
	p, err := xroad.ParsePath(path)
	if err != nil {
		return method
	}
	matches := func(m, pattern string) bool {
		glob, err := xroad.ParseGlob(pattern)
		return err == nil && xroad.Rule{Method: m, Path: glob}.Allows(method, p)
	}
	for _, c := range g.policy.Load().grants[pair{client, service}] {
		for _, o := range c.Properties.Operations {
			if matches(o.Method, o.Path) {
				return method + " " + o.Path
			}
		}
	}
	if id, err := xroad.ParseServiceID(service); err == nil {
		if t := g.trust.Load(); t != nil {
			if s, ok := t.view.Service(id); ok {
				for _, e := range s.Endpoints {
					if matches(e.Method, e.Path) {
						return method + " " + e.Path
					}
				}
			}
		}
	}
	return method
}

// write puts the batch into the index, with the notices that follow from it.
func (b *batch) write(ctx context.Context) error {
	return b.g.db.RunTx(ctx, func(tx *db.Tx) error {
		put, err := tx.PrepareContext(ctx, putExchange)
		if err != nil {
			return err
		}
		defer put.Close()
		for _, k := range b.keys {
			r := b.rows[k]
			if _, err := put.ExecContext(ctx, b.g.cfg.Node, k.request, k.side, db.Micros(r.at), r.client, r.service, r.method, r.operation, r.messageID, r.subject, r.contract, r.status, r.fault,
				int64(r.requestSeq), int64(r.responseSeq)); err != nil {
				return err
			}
			if err := b.notice(ctx, tx, k, r); err != nil {
				return err
			}
		}
		return b.g.store.setCursor(ctx, tx, journalCursor, strconv.FormatUint(b.last, 10))
	})
}

// putExchange adds what is known of one exchange to what the index holds of it.
const putExchange = `INSERT INTO gateway_exchange (node, request, side, at, client, service, method, operation, message_id, subject, contract, status, fault, request_seq, response_seq)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT (request, side, node) DO UPDATE SET
	client = CASE WHEN excluded.request_seq > 0 THEN excluded.client ELSE gateway_exchange.client END,
	service = CASE WHEN excluded.request_seq > 0 THEN excluded.service ELSE gateway_exchange.service END,
	contract = CASE WHEN excluded.response_seq > 0 THEN excluded.contract ELSE gateway_exchange.contract END,
	status = CASE WHEN excluded.response_seq > 0 THEN excluded.status ELSE gateway_exchange.status END,
	response_seq = CASE WHEN excluded.response_seq > 0 THEN excluded.response_seq ELSE gateway_exchange.response_seq END,
	fault = CASE WHEN excluded.fault <> '' THEN excluded.fault ELSE gateway_exchange.fault END`

// notice keeps what the directory is to be told of an exchange about a person: one
// that was answered.
func (b *batch) notice(ctx context.Context, tx *db.Tx, k rowKey, r *row) error {
	if r.responseSeq == 0 || b.g.directory == nil || r.requestSeq > 0 && r.subject == "" {
		return nil
	}
	full := *r
	if r.requestSeq == 0 { // it was in an earlier batch
		var at int64
		err := tx.QueryRowContext(ctx, `SELECT at, client, service, operation, subject FROM gateway_exchange WHERE node = $1 AND side = $2 AND request = $3`, b.g.cfg.Node, k.side, k.request).
			Scan(&at, &full.client, &full.service, &full.operation, &full.subject)
		if err != nil {
			return err
		}
		full.at = db.Time(at)
	}
	if full.subject == "" {
		return nil
	}
	n := directory.Notice{ID: k.request, At: full.at, Side: k.side, Client: full.client, Service: full.service, Operation: full.operation, Contract: full.contract,
		Subject: full.subject, Request: k.request, Status: full.status}
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO gateway_notice (id, node, at, body) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`, k.side+" "+k.request, b.g.cfg.Node, db.Micros(full.at), string(body))
	return err
}
