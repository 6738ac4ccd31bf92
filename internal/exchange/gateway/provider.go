package gateway

import (
	"bytes"
	"context"
	"crypto/sha512"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"diwan/internal/exchange/backend"
	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// provider answers what other gateways ask. By the time it is called, TLS has
// proved the member, the key was found to be that member's, the request was new,
// its signature held, and the journal has it on disk.
type provider struct{ g *Gateway }

// contractHeader names, in the signed head of an answer, the contract under which
// it was given, so that both journals show it.
const contractHeader = "Diwan-Contract"

// traceHeader carries the trace of a request (W3C Trace Context) as it came.
const traceHeader = "Traceparent"

// incoming is a request on its way through the checks.
type incoming struct {
	id      [16]byte
	name    string            // the id as UUID
	digest  [sha512.Size]byte // of the head
	member  string            // proved
	head    xroad.RequestHead
	headers xroad.Headers
	target  xroad.Target
	body    []byte
	stream  *link.Body
	// bodySum is the digest of a body that came with its message; nil for none.
	bodySum *[sha512.Size]byte
	trust   *trust
	now     time.Time
}

// outgoing is an answer.
type outgoing struct {
	status int
	head   []byte
	body   []byte
	stream io.ReadCloser
}

// fold makes a body that does not travel with its message one that follows it.
func (o *outgoing) fold() {
	if len(o.body) > link.MaxInline {
		o.stream, o.body = io.NopCloser(bytes.NewReader(o.body)), nil
	}
}

// ServeLink implements link.Handler.
func (p *provider) ServeLink(ctx context.Context, r *link.Request) (*link.Reply, error) {
	in := &incoming{id: r.Envelope.ID(), name: uuid(r.Envelope.ID()), digest: *r.Envelope.HeadDigest(), member: r.Key.Member(), body: r.Body, stream: r.Stream, bodySum: bodyDigest(r.Envelope), now: p.g.clock.Now()}
	out, err := p.serve(ctx, in, r.Head)
	if err != nil {
		return nil, err
	}
	reply := &link.Reply{Status: out.status, Head: out.head, Body: out.body}
	if out.stream != nil {
		reply.Stream = out.stream
	}
	return reply, nil
}

// serve checks a request and has it answered, and sees that it is counted
// whatever comes of it.
func (p *provider) serve(ctx context.Context, in *incoming, head []byte) (*outgoing, error) {
	g := p.g
	seen := &observed{side: directory.Answered, begin: in.now, id: in.name, request: int64(len(in.body))}
	out, err := p.answer(ctx, in, head, seen)
	if err != nil {
		seen.err = told(err)
		g.noteRefused(in.id, false, seen.err)
		g.observe(seen)
		return nil, err
	}
	seen.status = out.status
	if out.stream == nil {
		seen.response = int64(len(out.body))
		g.observe(seen)
		return out, nil
	}
	out.stream = &watched{ReadCloser: out.stream, seen: seen, g: g}
	return out, nil
}

// told is the error that the consumer will make of ours, for our own records.
func told(err error) *xroad.Error {
	var e *link.Error
	if errors.As(err, &e) {
		return reported(e.Type)
	}
	return xroad.NewError(xroad.AtProvider, xroad.InternalError, messages[xroad.InternalError])
}

// watched counts a body that is passed on as it comes.
type watched struct {
	io.ReadCloser
	g    *Gateway
	seen *observed
	done bool
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.seen.response += int64(n)
	if err != nil && !isEOF(err) {
		w.seen.err = xroad.NewError(xroad.AtProvider, xroad.IOError, "the service's answer broke off")
	}
	return n, err
}

func (w *watched) Close() error {
	if !w.done {
		w.done = true
		w.g.observe(w.seen)
	}
	return w.ReadCloser.Close()
}

func (p *provider) answer(ctx context.Context, in *incoming, head []byte, seen *observed) (*outgoing, error) {
	g := p.g
	if err := p.read(in, head); err != nil {
		return nil, err
	}
	seen.client, seen.service, seen.headers = in.headers.Client, in.target.Service, &in.headers
	seen.method, seen.path, seen.trace = in.head.Method, in.target.ServicePath, in.head.Get(traceHeader)
	if g.traces != nil {
		seen.span = g.traces.Start(traceOf(in.head.Fields), in.now)
	}
	if err := p.who(in); err != nil {
		return nil, err
	}
	if in.target.Service.Provider.MemberID() != g.member {
		return nil, refused(xroad.UnknownService)
	}
	if code := in.target.Service.Code; xroad.IsMetaservice(code) || code == eventsCode {
		seen.metaservice = true
		return p.own(ctx, in)
	}
	s, err := p.service(in, seen)
	if err != nil {
		return nil, err
	}
	permit, err := p.permit(in)
	if err != nil {
		return nil, err
	}
	if err := p.open(s, in); err != nil {
		return nil, err
	}
	if !permit.meter.admit(in.now) {
		return nil, refusedAs(typeRateLimited)
	}
	return p.pass(ctx, in, s, permit, seen)
}

// read parses the head and holds it to its envelope.
func (p *provider) read(in *incoming, head []byte) (err error) {
	if in.head, err = xroad.ParseRequestHead(head); err == nil {
		if in.headers, err = in.head.Headers(); err == nil {
			in.target, err = xroad.ParseTarget(in.head.Target)
		}
	}
	if err == nil && in.headers.ID != "" && in.head.RequestID() == in.name {
		return nil
	}
	var e *xroad.Error
	if errors.As(err, &e) {
		return refused(e.Type.Code)
	}
	return refused(xroad.InvalidRequest)
}

// who holds the client that the head names to the member that was proved: the
// header alone is anybody's to write.
func (p *provider) who(in *incoming) error {
	if in.trust = p.g.valid(in.now); in.trust == nil {
		return refused(xroad.GlobalConfOutdated)
	}
	client := in.headers.Client
	if client.MemberID().String() != in.member {
		return refusedAs(typeForged)
	}
	if client.Subsystem != "" {
		if _, ok := in.trust.view.Subsystem(client); !ok {
			return refused(xroad.UnknownMember)
		}
	}
	return nil
}

// service finds the service, here and in the directory.
func (p *provider) service(in *incoming, seen *observed) (*service, error) {
	id := in.target.Service
	s := p.g.service(id.Provider.Subsystem, id.Code)
	known, ok := in.trust.view.Service(id)
	if s == nil || !ok {
		return nil, refused(xroad.UnknownService)
	}
	if known.Type != "REST" && known.Type != "OPENAPI" {
		return nil, refused(xroad.ServiceType)
	}
	seen.openAPI = known.Type == "OPENAPI"
	return s, nil
}

// permit finds the grant that covers the request, on the path as the service will
// read it.
func (p *provider) permit(in *incoming) (*grant, error) {
	path, err := xroad.ParsePath(in.target.ServicePath)
	if err != nil {
		return nil, refused(xroad.AccessDenied)
	}
	g := p.g.policy.Load().find(in.headers.Client.String(), in.target.Service.String(), in.head.Method, path, in.now)
	if g == nil {
		return nil, refused(xroad.AccessDenied)
	}
	return g, nil
}

// open tells whether the service takes requests now.
func (p *provider) open(s *service, in *incoming) error {
	if p.g.closed.Load() != nil {
		return refused(xroad.MaintenanceMode)
	}
	known, _ := in.trust.view.Service(in.target.Service)
	if s.config.Disabled != "" || known.Maintenance != "" {
		return refused(xroad.ServiceDisabled)
	}
	return nil
}

// service is a service of ours and the way to it.
type service struct {
	config ServiceConfig
	client *backend.Client
}

// pass hands the request to the service, once when it may change something.
func (p *provider) pass(ctx context.Context, in *incoming, s *service, permit *grant, seen *observed) (*outgoing, error) {
	c, out, err := p.claim(ctx, in, permit)
	if err != nil || out != nil {
		return out, err
	}
	out, err = p.call(ctx, in, s, permit, seen)
	if c != nil {
		c.settle(ctx, in, out, err)
	}
	return out, err
}

// call asks the service.
func (p *provider) call(ctx context.Context, in *incoming, s *service, permit *grant, seen *observed) (*outgoing, error) {
	g := p.g
	var body io.Reader
	length := int64(len(in.body))
	var sum *summing
	switch {
	case in.stream != nil:
		sum = &summing{from: in.stream, sum: sha512.New(), ended: make(chan struct{})}
		body, length = sum, -1
	case length > 0:
		body = bytes.NewReader(in.body)
	}
	seen.out = g.clock.Now()
	resp, err := g.callService(ctx, in, s, forService(in.head.Fields, permit), body, length, seen)
	if err != nil {
		g.log.Warn("exchange: the service did not answer", "service", in.target.Service.String(), "request", seen.id, "err", err)
		return nil, serviceError(err)
	}
	seen.in = g.clock.Now()
	if sum != nil {
		if in.bodySum, err = p.whole(ctx, sum, s); err != nil {
			resp.Body.Close()
			return nil, err
		}
		seen.request = sum.total
	}
	out, err := p.reply(in, resp, permit)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	permit.meter.spend(int64(len(out.body)), in.now)
	if out.stream != nil && permit.meter != nil {
		out.stream = &spending{out.stream, permit.meter, g}
	}
	return out, nil
}

// spending counts a body that is passed on as it comes towards the contract's
// volume.
type spending struct {
	io.ReadCloser
	meter *meter
	g     *Gateway
}

func (s *spending) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.meter.spend(int64(n), s.g.clock.Now())
	return n, err
}

// whole waits until a body that is passed on as it comes was read to its end: the
// answer names the hash of the whole request. A service that answers before it has
// the request is given as long as for its answer.
func (p *provider) whole(ctx context.Context, sum *summing, s *service) (*[sha512.Size]byte, error) {
	t := time.NewTimer(s.config.Timeout)
	defer t.Stop()
	select {
	case <-sum.ended:
	case <-t.C:
		return nil, refused(xroad.ServiceFailed)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	d := [sha512.Size]byte(sum.sum.Sum(nil))
	return &d, nil
}

// forService are the lines that the service sees. Where the answer must be
// brought down to some fields, the service may not encode it or send a part.
func forService(fields []xroad.Field, permit *grant) []xroad.Field {
	if permit.Filter == nil {
		return fields
	}
	out := make([]xroad.Field, 0, len(fields))
	for _, f := range fields {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Accept-Encoding", "Range", "If-Range":
		default:
			out = append(out, f)
		}
	}
	return out
}

// reply makes the signed head of an answer and brings its body down to what the
// contract allows.
func (p *provider) reply(in *incoming, resp *backend.Response, permit *grant) (*outgoing, error) {
	out := &outgoing{status: resp.Status}
	fields := xroad.FilterResponse(resp.Header)
	var err error
	if permit.Filter != nil {
		if out.body, fields, err = filtered(resp, permit.Filter, fields, in.head.Method); err != nil {
			p.g.log.Warn("exchange: an answer can't be brought down to the agreed fields", "service", in.target.Service.String(), "request", in.name, "err", err)
			return nil, refusedAs(typeFilter)
		}
		out.fold()
	} else {
		var rest link.Source
		if out.body, rest, err = link.ReadBody(resp.Body); err != nil {
			return nil, refused(xroad.ServiceFailed)
		}
		if rest != nil {
			out.stream = &tail{rest, resp.Body}
		} else {
			resp.Body.Close()
		}
	}
	fields = append(without(fields, contractHeader), xroad.Field{Name: contractHeader, Value: permit.Contract})
	return out, p.stamp(in, out, fields)
}

// stamp writes the head of an answer, which says to which request it is.
func (p *provider) stamp(in *incoming, out *outgoing, fields []xroad.Field) error {
	size := 512
	for _, f := range fields {
		size += len(f.Name) + len(f.Value) + 3
	}
	head, err := xroad.AppendResponseHead(make([]byte, 0, size), out.status, fields, xroad.Stamp{Client: in.headers.Client, Service: in.target.Service, ID: in.headers.ID,
		RequestID: in.name, RequestHash: xroad.RequestHash(in.digest, in.bodySum)}, p.g.date(in.now))
	if err != nil {
		return refused(xroad.ServiceFailed)
	}
	out.head = head
	return nil
}

func without(fields []xroad.Field, name string) []xroad.Field {
	for i := range fields {
		if fields[i].Name == name {
			out := append([]xroad.Field{}, fields[:i]...)
			return append(out, without(fields[i+1:], name)...)
		}
	}
	return fields
}

// tail is a body of which the beginning was read.
type tail struct {
	link.Source
	body io.Closer
}

func (t *tail) Close() error { return t.body.Close() }

// filtered reads an answer whole and lets the agreed fields pass. Whatever the
// service said of the bytes that it sent is no longer true of those that go on.
func filtered(resp *backend.Response, f *contract.Filter, fields []xroad.Field, method string) ([]byte, []xroad.Field, error) {
	defer resp.Body.Close()
	doc, err := io.ReadAll(io.LimitReader(resp.Body, contract.MaxFiltered+1))
	if err != nil {
		return nil, nil, err
	}
	for _, name := range []string{"Etag", "Content-Digest", "Repr-Digest", "Digest", "Content-Md5", "Accept-Ranges", "Content-Range", "Last-Modified"} {
		fields = without(fields, name)
	}
	if len(doc) == 0 {
		return nil, fields, nil
	}
	if e := resp.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") || !isJSON(resp.Get("Content-Type")) || resp.Status == http.StatusPartialContent {
		return nil, nil, contract.ErrFilter
	}
	doc, err = f.Apply(doc)
	return doc, fields, err
}

func isJSON(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.TrimSpace(t))
	return t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json")
}
