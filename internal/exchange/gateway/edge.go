package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"diwan/internal/exchange/gateway/directory"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// edge is what client systems call. It reads the request line as it stood and
// never a decoded path, so that it comes before any mux.
type edge struct {
	g     *Gateway
	plain bool // the listener of the loopback
}

type edgeClient struct {
	plain bool
	pins  map[[sha256.Size]byte]bool
}

func newEdge(g *Gateway, plain bool) *edge { return &edge{g: g, plain: plain} }

// ServeHTTP implements http.Handler.
func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).SetWriteDeadline(time.Time{}) // of the answer before
	switch xroad.Classify(r.RequestURI) {
	case xroad.RootMessage:
		e.message(w, r)
	case xroad.RootListClients:
		e.listClients(w, r)
	case xroad.RootVerification:
		e.verificationConf(w, r)
	default:
		if r.URL.Path == eventsPath {
			e.publish(w, r)
			return
		}
		e.fail(w, r, here(xroad.InvalidRequest, "this gateway answers below /r1/, /listClients, /verificationconf and "+eventsPath))
	}
}

// fail writes an error of the exchange.
func (e *edge) fail(w http.ResponseWriter, r *http.Request, err *xroad.Error) {
	err.Detail = newUUID()
	g := e.g
	g.log.LogAttrs(r.Context(), levelOf(err), "exchange: refused to the client", attrs(r, err)...)
	h := w.Header()
	typ, body := err.Body(r.Header.Values("Accept"), g.style)
	h.Set("Content-Type", typ)
	h.Set(xroad.ErrorHeader, err.Type.Text(g.style))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(err.Type.Status())
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// isEOF tells the good end of a body.
func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// authenticate tells whether the client system is the subsystem it says it is.
func (e *edge) authenticate(r *http.Request, client xroad.ClientID) *xroad.Error {
	g := e.g
	if client.MemberID() != g.member {
		return here(xroad.UnknownMember, client.String()+" is not a client of this gateway")
	}
	k := g.systems.Load().clients[client.Subsystem]
	if k == nil {
		return here(xroad.UnknownMember, client.String()+" is not a client of this gateway")
	}
	if e.plain {
		if !k.plain {
			return here(xroad.SSLAuthenticationFailed, "this client must show its certificate, over HTTPS")
		}
		return nil
	}
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return here(xroad.SSLAuthenticationFailed, "")
	}
	cert := r.TLS.PeerCertificates[0]
	now := g.clock.Now()
	if !k.pins[sha256.Sum256(cert.Raw)] || now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return here(xroad.SSLAuthenticationFailed, "")
	}
	return nil
}

// message carries one exchange.
func (e *edge) message(w http.ResponseWriter, r *http.Request) {
	g := e.g
	begin := g.clock.Now()
	q, xerr := e.read(r)
	if xerr != nil {
		g.metrics.refused(directory.Asked, xerr.Type.Code)
		e.fail(w, r, xerr)
		return
	}
	seen := observed{side: directory.Asked, client: q.headers.Client, service: q.target.Service, headers: &q.headers, method: q.method, path: q.target.ServicePath, begin: begin, trace: r.Header.Get(traceHeader)}
	if g.traces != nil {
		q.span = g.traces.Start(traceOf(q.fields), begin)
		seen.span = q.span
	}
	defer g.observe(&seen)
	if !g.admit() {
		seen.err = here(xroad.NetworkError, "this gateway has too much under way")
		e.fail(w, r, seen.err)
		return
	}
	defer g.release()
	held, xerr := e.body(w, r, q)
	defer g.bodies.Add(-held)
	if xerr == nil {
		ctx, cancel := q.until(r.Context())
		defer cancel()
		// The time is for the answer's head; its body has a time of its own.
		timer := time.AfterFunc(g.cfg.Limits.AnswerTime, cancel)
		seen.out = g.clock.Now()
		var a *reply
		a, xerr = g.ask(ctx, q)
		if timer.Stop(); xerr == nil {
			seen.in, seen.id, seen.status = g.clock.Now(), a.id, a.status
			seen.request = int64(len(q.body))
			e.answer(w, r, a, &seen)
			return
		}
	}
	seen.err = xerr
	e.fail(w, r, xerr)
}

// read takes the request apart and finds out who asks.
func (e *edge) read(r *http.Request) (*question, *xroad.Error) {
	q := &question{method: r.Method}
	var err error
	if q.target, err = xroad.ParseTarget(r.RequestURI); err == nil {
		if q.headers, err = xroad.ReadHeaders(r.Header); err == nil {
			q.fields, err = xroad.FilterRequest(r.Header)
		}
	}
	if err != nil {
		return nil, failed(err)
	}
	if xerr := e.authenticate(r, q.headers.Client); xerr != nil {
		return nil, xerr
	}
	if !xroad.ValidMethod(r.Method) {
		return nil, here(xroad.InvalidRequest, "the protocol does not know this method")
	}
	if r.Header["Accept"] == nil {
		q.fields = withAccept(q.fields)
	}
	return q, nil
}

// withAccept adds what a missing Accept means, in its place.
func withAccept(fields []xroad.Field) []xroad.Field {
	i, _ := slices.BinarySearchFunc(fields, "Accept", func(f xroad.Field, name string) int {
		if f.Name < name {
			return -1
		} else if f.Name > name {
			return 1
		}
		return 0
	})
	return slices.Insert(fields, i, xroad.Field{Name: "Accept", Value: "application/json"})
}

// body reads a short body whole and makes a longer one ready to be passed on as
// it comes. It returns how many bytes it holds of those that all clients share.
func (e *edge) body(w http.ResponseWriter, r *http.Request, q *question) (held int64, xerr *xroad.Error) {
	n := r.ContentLength
	if n == 0 || r.Body == nil || r.Body == http.NoBody {
		return 0, nil
	}
	g := e.g
	limits := &g.cfg.Limits
	if n > limits.BodyMiB<<20 {
		return 0, here(xroad.InvalidRequest, errTooLong.Error())
	}
	// The time stays set when the body did not come: the server would wait for the
	// rest of it before it answers. It is taken back when the body is here, or it
	// would end the wait for the answer.
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Now().Add(limits.BodyTime))
	arrived := func() { rc.SetReadDeadline(time.Time{}) }
	hold := n
	if n < 0 || n > link.MaxInline {
		hold = link.MaxInline
	}
	if g.bodies.Add(hold) > limits.MemoryMiB<<20 {
		return hold, here(xroad.NetworkError, "this gateway has too much under way")
	}
	if n >= 0 && n <= link.MaxInline {
		q.body = make([]byte, n)
		if _, err := io.ReadFull(r.Body, q.body); err != nil {
			return hold, here(xroad.IOError, errBrokeOff.Error())
		}
		arrived()
		return hold, nil
	}
	body, rest, err := link.ReadBody(r.Body)
	if err != nil {
		return hold, here(xroad.IOError, errBrokeOff.Error())
	}
	q.body = body
	if rest == nil {
		arrived()
		return hold, nil
	}
	q.stream = &slow{from: rest, touch: func() { rc.SetReadDeadline(time.Now().Add(limits.BodyTime)) }, arrived: arrived, left: limits.BodyMiB << 20}
	return hold, nil
}

// until is how long a question is worth an answer: until its client goes. Of a body that is
// still coming the reading finds that out, and says why it broke off; the server only says
// at the same moment that the client is gone.
func (q *question) until(client context.Context) (context.Context, context.CancelFunc) {
	body, coming := q.stream.(*slow)
	if !coming {
		return context.WithCancel(client)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(client))
	arrived := body.arrived
	body.arrived = func() {
		arrived()
		context.AfterFunc(client, cancel)
	}
	return ctx, cancel
}

// slow gives each read of a body its own time, and the whole a length.
type slow struct {
	from    link.Source
	touch   func()
	arrived func()
	left    int64
}

var (
	errTooLong  = errors.New("the body is longer than this gateway passes on")
	errBrokeOff = errors.New("the request's body broke off")
)

func (s *slow) Read(p []byte) (int, error) {
	s.touch()
	n, err := s.from.Read(p)
	if s.left -= int64(n); s.left < 0 {
		return n, errTooLong
	}
	if isEOF(err) {
		s.arrived()
	} else if err != nil {
		err = fmt.Errorf("%w: %w", errBrokeOff, err)
	}
	return n, err
}

// answer writes a verified answer. A body that breaks off ends the connection, so
// that nobody takes it for whole.
func (e *edge) answer(w http.ResponseWriter, r *http.Request, a *reply, seen *observed) {
	h := w.Header()
	for _, f := range a.fields {
		h.Add(f.Name, f.Value)
	}
	if h["Content-Type"] == nil {
		h["Content-Type"] = nil // net/http would guess one
	}
	if a.stream == nil {
		// A client that does not read must not keep its place and its answer.
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(e.g.cfg.Limits.BodyTime))
		if r.Method != http.MethodHead && a.status != http.StatusNoContent && a.status != http.StatusNotModified {
			h["Content-Length"] = []string{strconv.Itoa(len(a.body))}
		}
		w.WriteHeader(a.status)
		n, _ := w.Write(a.body)
		seen.response = int64(n)
		return
	}
	defer a.stream.Close()
	w.WriteHeader(a.status)
	rc := http.NewResponseController(w)
	buf := pages.Get().(*[]byte)
	defer pages.Put(buf)
	for {
		n, err := a.stream.Read(*buf)
		if n > 0 {
			rc.SetWriteDeadline(time.Now().Add(e.g.cfg.Limits.BodyTime))
			seen.response += int64(n)
			if _, werr := w.Write((*buf)[:n]); werr != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if isEOF(err) {
			rc.SetWriteDeadline(time.Time{})
			return
		}
		if err != nil {
			seen.err = here(xroad.IOError, "the answer's body broke off")
			e.g.log.Warn("exchange: an answer's body broke off", "request", a.id, "err", err)
			panic(http.ErrAbortHandler)
		}
	}
}

// listClients answers from the directory.
func (e *edge) listClients(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		e.fail(w, r, here(xroad.InvalidRequest, "listClients is asked by GET"))
		return
	}
	if !e.plain && (r.TLS == nil || !e.known(r.TLS)) {
		e.fail(w, r, here(xroad.SSLAuthenticationFailed, ""))
		return
	}
	t := e.g.valid(e.g.clock.Now())
	if t == nil {
		e.fail(w, r, here(xroad.GlobalConfOutdated, ""))
		return
	}
	var list []xroad.Client
	if i, ok := xroad.QueryParam(xroad.RawQuery(r.RequestURI), "xRoadInstance", false); !ok || i == e.g.cfg.Instance {
		list = t.view.Clients("")
	}
	typ, body, err := xroad.ClientsBody(list, r.Header.Values("Accept"))
	if err != nil {
		e.fail(w, r, here(xroad.InternalError, ""))
		return
	}
	w.Header().Set("Content-Type", typ)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// known tells whether a certificate is one of any client.
func (e *edge) known(s *tls.ConnectionState) bool {
	if len(s.PeerCertificates) == 0 {
		return false
	}
	sum := sha256.Sum256(s.PeerCertificates[0].Raw)
	for _, k := range e.g.systems.Load().clients {
		if k.pins[sum] {
			return true
		}
	}
	return false
}
