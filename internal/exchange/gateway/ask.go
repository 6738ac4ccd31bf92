package gateway

import (
	"context"
	"crypto/sha512"
	"errors"
	"hash"
	"time"

	"diwan/internal/exchange/gateway/tracing"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// question is a request of one of our own subsystems, ready to be sent.
type question struct {
	method  string
	target  xroad.Target
	headers xroad.Headers
	fields  []xroad.Field // as FilterRequest left them
	body    []byte
	stream  link.Source // instead of body
	span    tracing.Span
}

// reply is a verified answer. The caller closes stream.
type reply struct {
	status int
	fields []xroad.Field
	body   []byte
	stream *link.Body
	id     string // of the exchange, as UUID
}

// attempts is how often a request is sent of which nothing has reached the peer.
const attempts = 3

// ask sends a question to the provider's gateway and returns the answer once it
// is verified and durable.
func (g *Gateway) ask(ctx context.Context, q *question) (r *reply, xerr *xroad.Error) {
	now := g.clock.Now()
	t := g.valid(now)
	if t == nil {
		return nil, here(xroad.GlobalConfOutdated, "")
	}
	provider := q.target.Service.Provider
	if _, ok := t.view.Subsystem(provider); !ok {
		return nil, here(xroad.UnknownMember, "the directory does not know "+provider.String())
	}
	name := peerName{member: provider.MemberID().String()}
	if s := q.headers.SecurityServer; s.Server != "" {
		if (xroad.ClientID{Instance: s.Instance, Class: s.Class, Member: s.Member}) != provider.MemberID() {
			return nil, here(xroad.InvalidRequest, "the gateway named by X-Road-Security-Server is not one of the provider's")
		}
		name.node = s.Server
	}
	if g.traces != nil {
		end := g.traceCall(q, name.member)
		defer func() { end(r, xerr) }()
	}
	client, err := g.peers.reach(name, t.view, now)
	if errors.Is(err, errNoAddress) {
		return g.askHTTP(ctx, t, name, q)
	}
	if err != nil {
		return nil, here(xroad.NetworkError, "")
	}
	return g.send(ctx, client, q)
}

// send makes the head, sends it, and verifies what comes back.
func (g *Gateway) send(ctx context.Context, client *link.Client, q *question) (*reply, *xroad.Error) {
	for try := 1; ; try++ {
		id := link.NewRequestID()
		name := uuid(id)
		head, ownID, xerr := g.head(q, name)
		if xerr != nil {
			return nil, xerr
		}
		call := &link.Call{ID: id, Head: head, Body: q.body}
		var sum *summing
		if q.stream != nil {
			sum = &summing{from: q.stream, sum: sha512.New()}
			call.Stream = sum
		}
		resp, err := client.Do(ctx, call)
		if err != nil && again(err) && try < attempts && q.stream == nil && ctx.Err() == nil {
			if !pause(ctx, time.Duration(try)*60*time.Millisecond) {
				return nil, failed(ctx.Err())
			}
			continue
		}
		if err != nil {
			e := failed(err)
			g.noteRefused(id, true, e)
			return nil, e
		}
		r, err := g.accept(q, resp, sum, name, ownID)
		if err != nil {
			if resp.Stream != nil {
				resp.Stream.Close()
			}
			e := failed(err)
			g.noteRefused(id, true, e)
			return nil, e
		}
		return r, nil
	}
}

// again tells whether nothing of a request was carried out, so that it may be
// sent once more.
func again(err error) bool {
	var remote *link.Error
	if errors.As(err, &remote) {
		return remote.Remote && (remote.Type == link.TypeShuttingDown || remote.Type == link.TypeOverloaded)
	}
	return errors.Is(err, link.ErrNotSent) && !errors.Is(err, link.ErrJournal)
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// head makes the bytes that are signed, and the X-Road-Id when the client gave
// none.
func (g *Gateway) head(q *question, requestID string) (head []byte, id string, xerr *xroad.Error) {
	generated := ""
	if id = q.headers.ID; id == "" {
		id = g.cfg.Instance + "-" + newUUID()
		generated = id
	}
	fields := q.fields
	if q.headers.ID == "" {
		fields = dropEmptyID(fields)
	}
	size := 128 + len(q.target.Path) + len(q.target.Query)
	for _, f := range fields {
		size += len(f.Name) + len(f.Value) + 3
	}
	head, err := xroad.AppendRequestHead(make([]byte, 0, size), q.method, q.target.Raw(), fields, requestID, generated)
	if err != nil {
		var e *xroad.Error
		if !errors.As(err, &e) {
			e = here(xroad.InvalidRequest, "")
		}
		return nil, "", e
	}
	return head, id, nil
}

// dropEmptyID takes out an X-Road-Id that says nothing, beside which ours would
// be a second one.
func dropEmptyID(fields []xroad.Field) []xroad.Field {
	for i, f := range fields {
		if f.Name == xroad.HeaderID {
			return append(append([]xroad.Field{}, fields[:i]...), fields[i+1:]...)
		}
	}
	return fields
}

// accept holds an answer to its request: who asked, whom, under which ids, and
// over which bytes.
func (g *Gateway) accept(q *question, resp *link.Response, sum *summing, requestID, id string) (*reply, error) {
	head, err := xroad.ParseResponseHead(resp.Head)
	if err != nil {
		return nil, err
	}
	if head.Status != resp.Status {
		return nil, here(xroad.InconsistentResponse, "the answer has two statuses")
	}
	body := bodyDigest(resp.Request)
	if sum != nil {
		d, ok := sum.digest()
		if !ok {
			return nil, here(xroad.InconsistentResponse, "the service answered before it had the whole request")
		}
		body = &d
	}
	hash := xroad.RequestHash(*resp.Request.HeadDigest(), body)
	if err := head.Check(xroad.Stamp{Client: q.headers.Client, Service: q.target.Service, ID: id, RequestID: requestID, RequestHash: hash}); err != nil {
		return nil, err
	}
	return &reply{status: head.Status, fields: head.Fields, body: resp.Body, stream: resp.Stream, id: requestID}, nil
}

// bodyDigest is the digest of a body that travelled with its message, nil for no
// bytes, as the request hash has it.
func bodyDigest(e *link.Envelope) *[sha512.Size]byte {
	if e.Streamed() || *e.BodyDigest() == link.EmptyDigest {
		return nil
	}
	d := [sha512.Size]byte(*e.BodyDigest())
	return &d
}

// summing takes the digest of a body while it is sent.
type summing struct {
	from  link.Source
	sum   hash.Hash
	total int64
	ended chan struct{} // closed at the end, if it was made
	whole bool
}

func (s *summing) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	s.sum.Write(p[:n])
	s.total += int64(n)
	if isEOF(err) && !s.whole {
		s.whole = true
		if s.ended != nil {
			close(s.ended)
		}
	}
	return n, err
}

// digest is that of the whole body. It is asked when the answer is here, which a
// provider gives after the last byte only.
func (s *summing) digest() (d [sha512.Size]byte, ok bool) {
	if !s.whole {
		return d, false
	}
	return [sha512.Size]byte(s.sum.Sum(nil)), true
}
