package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// States of a claim.
const (
	begun   = "begun"   // the service may have it
	done    = "done"    // the answer is kept
	large   = "large"   // answered; too large to keep
	unknown = "unknown" // the service may have it, and did not answer
)

// claim is the right to pass a request to the service that may change something,
// given once for a client's X-Road-Id. It is durable before the service is asked:
// after a crash in between nobody knows whether the service has it, and the
// request is not passed again.
type claim struct {
	g      *Gateway
	client string
	id     string
}

// changes tells whether a request may change something, by its method (RFC 9110,
// 9.2.1).
func changes(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

// claim returns the claim, or what became of the request that had it first. All
// are nil for a request that needs none: one that changes nothing, or whose id
// the consumer's gateway made, which no client can repeat. Where the member has
// several nodes that one is claimed too: each node knows the messages that it has
// received, not those of the others.
func (p *provider) claim(ctx context.Context, in *incoming, permit *grant) (*claim, *outgoing, error) {
	if !changes(in.head.Method) || !ownID(in.head.Fields) && !p.g.several() {
		return nil, nil, nil
	}
	g := p.g
	c := &claim{g, in.headers.Client.String(), in.headers.ID}
	print := fingerprint(in)
	var first outcome
	n, err := g.store.exec(ctx, `INSERT INTO gateway_outcome (client, message_id, fingerprint, body_sum, state, node, boot, contract, status, head, body, at)
		VALUES ($1, $2, $3, '', $4, $5, $6, $7, 0, $8, $8, $9) ON CONFLICT (client, message_id) DO NOTHING`,
		c.client, c.id, print, begun, g.cfg.Node, g.boot, permit.Contract, []byte{}, db.Micros(in.now))
	if err == nil && n == 1 {
		return c, nil, nil
	}
	if err == nil {
		first, err = g.store.outcome(ctx, c.client, c.id)
	}
	if err != nil {
		g.log.Error("exchange: a request can't be claimed", "err", err)
		return nil, nil, refused(xroad.DatabaseError)
	}
	out, err := p.repeat(ctx, in, permit, &first, print)
	return nil, out, err
}

// ownID tells whether the client chose the X-Road-Id: the one that a gateway
// makes is written in lower case.
func ownID(fields []xroad.Field) bool {
	for _, f := range fields {
		if strings.EqualFold(f.Name, xroad.HeaderID) {
			return f.Name != "x-road-id"
		}
	}
	return false
}

// fingerprint tells two requests apart that carry one id. It leaves out what may
// differ when a client repeats itself, such as the trace. The digest of a body
// that comes in pieces is known later.
func fingerprint(in *incoming) string {
	h := sha256.New()
	for _, s := range []string{in.head.Method, in.head.Target, in.head.Get("Content-Type")} {
		io.WriteString(h, s)
		h.Write([]byte{0})
	}
	switch {
	case in.stream != nil:
		io.WriteString(h, "stream")
	case in.bodySum != nil:
		h.Write(in.bodySum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// outcome is what is kept of the first request.
type outcome struct {
	fingerprint, bodySum, state, node, boot, contract string
	status                                            int
	head, body                                        []byte
	at                                                time.Time
}

func (s store) outcome(ctx context.Context, client, id string) (o outcome, err error) {
	var at int64
	// The writer's connection: a reader may be a moment behind.
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT fingerprint, body_sum, state, node, boot, contract, status, head, body, at FROM gateway_outcome WHERE client = $1 AND message_id = $2`, client, id).
			Scan(&o.fingerprint, &o.bodySum, &o.state, &o.node, &o.boot, &o.contract, &o.status, &o.head, &o.body, &at)
	})
	o.at = db.Time(at)
	return o, err
}

// repeat answers a request whose id was used before.
func (p *provider) repeat(ctx context.Context, in *incoming, permit *grant, first *outcome, print string) (*outgoing, error) {
	g := p.g
	if first.fingerprint != print {
		return nil, refusedAs(typeIDReused)
	}
	switch first.state {
	case begun:
		if g.underWayWith(ctx, first, in.now) {
			return nil, refusedAs(typeUnderWay)
		}
		return nil, refusedAs(typeOutcomeUnknown)
	case unknown:
		return nil, refusedAs(typeOutcomeUnknown)
	case large:
		return nil, refusedAs(typeOutcomeGone)
	}
	if first.contract != permit.Contract && permit.Filter != nil {
		return nil, refusedAs(typeOutcomeGone) // it may hold more than is agreed on now
	}
	if in.stream != nil {
		if _, err := io.Copy(io.Discard, in.stream); err != nil {
			return nil, refused(xroad.IOError)
		}
		d, ok := in.stream.Digest()
		if !ok {
			return nil, refused(xroad.IOError)
		}
		if hex.EncodeToString(d[:]) != first.bodySum {
			return nil, refusedAs(typeIDReused)
		}
		sum := [sha512.Size]byte(d)
		in.bodySum = &sum
	}
	head, err := xroad.ParseResponseHead(first.head)
	if err != nil {
		return nil, refused(xroad.InternalError)
	}
	out := &outgoing{status: first.status, body: first.body}
	return out, p.stamp(in, out, xroad.FilterResponse(head.Fields))
}

// underWayWith tells whether the process that began a request may still end it.
func (g *Gateway) underWayWith(ctx context.Context, o *outcome, now time.Time) bool {
	switch {
	case o.boot == g.boot:
		return true
	case o.node == g.cfg.Node || now.Sub(o.at) >= 2*g.cfg.Limits.AnswerTime:
		return false
	}
	gone, err := g.store.gone(ctx, o.node, o.boot, now)
	return err != nil || !gone
}

// maxKept bounds an answer that is kept for a repetition.
const maxKept = 256 << 10

// settle records what became of a request. It happens before the answer leaves,
// and goes on when the consumer is gone.
func (c *claim) settle(ctx context.Context, in *incoming, out *outgoing, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	const set = `UPDATE gateway_outcome SET state = $3, status = $4, head = $5, body = $6, body_sum = $7 WHERE client = $1 AND message_id = $2`
	var dberr error
	empty := []byte{}
	sum := ""
	if in.bodySum != nil {
		sum = hex.EncodeToString(in.bodySum[:])
	}
	switch {
	case err != nil && notReached(err):
		_, dberr = c.g.store.exec(ctx, `DELETE FROM gateway_outcome WHERE client = $1 AND message_id = $2`, c.client, c.id)
	case err != nil:
		_, dberr = c.g.store.exec(ctx, set, c.client, c.id, unknown, 0, empty, empty, sum)
	case out.stream != nil || len(out.body) > maxKept:
		_, dberr = c.g.store.exec(ctx, set, c.client, c.id, large, out.status, out.head, empty, sum)
	default:
		body := out.body
		if body == nil {
			body = empty
		}
		_, dberr = c.g.store.exec(ctx, set, c.client, c.id, done, out.status, out.head, body, sum)
	}
	if dberr != nil {
		// The claim stays as it was: a repetition is told that nobody knows.
		c.g.log.Error("exchange: the outcome of a request can't be kept", "err", dberr)
	}
}

// notReached tells whether a failure shows that the service has nothing of the
// request.
func notReached(err error) bool {
	e, ok := err.(*link.Error)
	return ok && e.Type == refused(xroad.NetworkError).Type
}
