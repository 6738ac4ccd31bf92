package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"diwan/protocol/httpsig"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// maxHTTPBody bounds a body of the second profile: it is held whole, because its
// digest is checked before a byte is passed on.
const maxHTTPBody = 8 << 20

// httpSide is the second profile: HTTP messages over mutual TLS, signed as package
// httpsig says. The request line is that of the head, so that what stands between
// sees what it passes; the head in the signed field is what counts.
type httpSide struct {
	g        *Gateway
	verifier httpsig.ExchangeVerifier
	provider *provider
}

func (g *Gateway) httpProfile() http.Handler {
	return &httpSide{g, g.httpPeers.verifier, &provider{g}}
}

// openHTTP makes what both sides of the second profile verify with.
func (g *Gateway) openHTTP() error {
	n, err := g.restoreNonces()
	g.httpPeers.verifier = httpsig.ExchangeVerifier{Keys: exchangeKeys{g}, Replay: n, Skew: link.MaxSkew, Now: g.clock.Now}
	return err
}

func (g *Gateway) httpServerTLS() *tls.Config {
	c := g.serverTLS()
	c.NextProtos = []string{"http/1.1"}
	peer := g.peer(x509.ExtKeyUsageClientAuth)
	c.VerifyConnection = func(s tls.ConnectionState) error { _, err := peer(s); return err }
	c.SessionTicketsDisabled = true // each connection shows its certificate
	return c
}

// exchangeKeys finds link keys for package httpsig.
type exchangeKeys struct{ g *Gateway }

// ExchangeKey implements httpsig.ExchangeKeys.
func (e exchangeKeys) ExchangeKey(_ context.Context, name string) (httpsig.Key, string, error) {
	id, ok := keyIDOf(name)
	if !ok {
		return httpsig.Key{}, "", link.ErrUnknownKey
	}
	now := e.g.clock.Now()
	t := e.g.trust.Load()
	if t == nil {
		return httpsig.Key{}, "", link.ErrUnknownKey
	}
	k, ok := t.view.Key(id)
	if !ok || now.Before(k.NotBefore) || !now.Before(k.NotAfter) {
		return httpsig.Key{}, "", link.ErrUnknownKey
	}
	return httpsig.Key{Alg: httpsig.Ed25519, Public: k.Public}, k.Member, nil
}

// HTTPKey returns a key of the directory as VerifyNote needs it.
func (g *Gateway) HTTPKey(id link.KeyID, at time.Time) (ed25519.PublicKey, error) {
	if t := g.trust.Load(); t != nil {
		if k, ok := t.view.Key(id); ok && !at.Before(k.NotBefore) && at.Before(k.NotAfter) {
			if pub, ok := k.Public.(ed25519.PublicKey); ok {
				return pub, nil
			}
		}
	}
	return nil, link.ErrUnknownKey
}

// nonces are those of accepted messages, for as long as the messages could be
// believed. They live in memory, and are read from the journal when the process
// starts.
type nonces struct {
	now   func() time.Time
	mu    sync.Mutex
	m     map[string]time.Time
	swept time.Time
}

const maxNonces = 1 << 20

// Seen implements httpsig.Replay.
func (n *nonces) Seen(_ context.Context, key, nonce string) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.m[key+" "+nonce]
	return ok, nil
}

// Record implements httpsig.Replay.
func (n *nonces) Record(_ context.Context, key, nonce string, until time.Time) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	if now.Sub(n.swept) > 30*time.Second {
		n.swept = now
		for k, t := range n.m {
			if t.Before(now) {
				delete(n.m, k)
			}
		}
	}
	k := key + " " + nonce
	if _, ok := n.m[k]; ok {
		return false, nil
	}
	if len(n.m) >= maxNonces {
		return false, errors.New("too many messages to remember")
	}
	n.m[k] = until
	return true, nil
}

// believed is how long a message of the profile may be accepted after it was
// made, at the most.
const believed = httpsig.ExchangeMaxValidity + 2*link.MaxSkew

// restoreNonces reads those of the messages that this gateway accepted lately.
func (g *Gateway) restoreNonces() (*nonces, error) {
	now := g.clock.Now()
	n := &nonces{now: g.clock.Now, m: map[string]time.Time{}, swept: now}
	from, err := g.journal.Since(now.Add(-believed))
	if err != nil {
		return nil, err
	}
	r := g.journal.Reader(from)
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return nil, fmt.Errorf("restoring the nonces of the second profile: %w", err)
		}
		if e.Type != noteHTTP || e.At.Before(now.Add(-believed)) {
			continue
		}
		if note, err := readHTTPNote(e.Payload); err == nil && !note.sent {
			if nonce, ok := note.nonce(); ok {
				n.m[note.key.String()+" "+nonce] = e.At.Add(believed)
			}
		}
	}
}

// ServeHTTP implements http.Handler.
func (h *httpSide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, err := h.serve(w, r)
	if err == nil {
		return
	}
	h.g.log.Warn("exchange: a message of the second profile was refused", "remote", r.RemoteAddr, "err", err)
	w.Header().Set(xroad.ErrorHeader, name)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusInternalServerError)
}

// serve answers one message. What goes wrong is told by a type alone, unsigned, as
// on the link.
func (h *httpSide) serve(w http.ResponseWriter, r *http.Request) (told string, err error) {
	g := h.g
	peer, err := g.peer(x509.ExtKeyUsageClientAuth)(*r.TLS)
	if err != nil {
		return link.TypeUnknownMember, err
	}
	rc := http.NewResponseController(w)
	rc.SetWriteDeadline(time.Time{}) // of the answer before
	rc.SetReadDeadline(time.Now().Add(g.cfg.Limits.BodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHTTPBody))
	if err != nil {
		return link.TypeIO, err
	}
	m := httpsig.FromRequest(r)
	good, err := h.verifier.VerifyExchangeRequest(r.Context(), m, peer, sha512.Sum512(body))
	if err != nil {
		return typeOfHTTP(err), err
	}
	in := &incoming{digest: sha512.Sum512(good.Head), member: good.Member, body: body, now: g.clock.Now()}
	if len(body) > 0 {
		sum := sha512.Sum512(body)
		in.bodySum = &sum
	}
	head, err := xroad.ParseRequestHead(good.Head)
	if err != nil {
		return link.TypeInvalidRequest, err
	}
	id, ok := parseUUID(head.RequestID())
	if !ok || head.Method != r.Method || head.Target != r.RequestURI {
		return link.TypeInvalidRequest, errors.New("the request line is not that of the signed head")
	}
	in.id, in.name = id, uuid(id)
	key, _ := keyIDOf(good.Params.KeyID)
	if err := g.keepHTTP(r.Context(), &httpNote{id: id, key: key, signature: good.Signature, base: good.Base}, true); err != nil {
		return link.TypeLoggingFailed, err
	}
	out, err := h.provider.serve(r.Context(), in, good.Head)
	if err != nil {
		return typeOfHTTP(err), err
	}
	return h.answer(w, r, m, in, out)
}

func typeOfHTTP(err error) string {
	var e *link.Error
	switch {
	case errors.As(err, &e):
		return e.Type
	case errors.Is(err, httpsig.ErrReplay):
		return link.TypeReplayed
	case errors.Is(err, link.ErrUnknownKey), errors.Is(err, httpsig.ErrPeer):
		return link.TypeUnknownMember
	case errors.Is(err, httpsig.ErrSignature), errors.Is(err, httpsig.ErrNoSignature), errors.Is(err, httpsig.ErrKey):
		return link.TypeInvalidSignature
	case errors.Is(err, httpsig.ErrDigest):
		return link.TypeInconsistent
	case errors.Is(err, httpsig.ErrTime):
		return link.TypeExpired
	}
	return link.TypeInvalidRequest
}

// answer signs what goes back, records it, and writes it.
func (h *httpSide) answer(w http.ResponseWriter, r *http.Request, m *httpsig.Message, in *incoming, out *outgoing) (string, error) {
	g := h.g
	if out.stream != nil {
		defer out.stream.Close()
		b, err := io.ReadAll(io.LimitReader(out.stream, maxHTTPBody+1))
		if err != nil || len(b) > maxHTTPBody {
			return refused(xroad.ServiceFailed).Type, errors.Join(errors.New("an answer is too long for the second profile"), err)
		}
		out.body = b
	}
	if r.Method == http.MethodHead {
		out.body = nil
	}
	back := &httpsig.Message{Status: out.status, Header: w.Header(), Request: m}
	base, err := httpsig.SignExchangeResponse(back, httpsig.Outgoing{Signer: g.httpSigner(), Head: out.head, BodySum: sha512.Sum512(out.body),
		RequestHash: xroad.RequestHash(in.digest, in.bodySum), Now: g.clock.Now()})
	if err != nil {
		clear(w.Header())
		return refused(xroad.ServiceFailed).Type, err
	}
	sig, err := signatureOf(w.Header())
	if err == nil {
		err = g.keepHTTP(r.Context(), &httpNote{sent: true, response: true, id: in.id, key: g.signer.Public().ID(), signature: sig, base: base}, true)
	}
	if err != nil {
		clear(w.Header())
		return link.TypeLoggingFailed, err
	}
	w.Header()["Content-Type"] = []string{"application/octet-stream"}
	if out.status != http.StatusNoContent && out.status != http.StatusNotModified && r.Method != http.MethodHead {
		w.Header().Set("Content-Length", strconv.Itoa(len(out.body)))
	}
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(g.cfg.Limits.BodyTime))
	w.WriteHeader(out.status)
	w.Write(out.body)
	return "", nil
}

// httpSigner is the link key for package httpsig.
func (g *Gateway) httpSigner() httpsig.Signer {
	return httpsig.Signer{KeyID: g.signer.Public().ID().String(), Alg: httpsig.Ed25519, Key: g.keys.link}
}

// signatureOf reads our own signature back from the field that it was written to.
func signatureOf(h http.Header) ([]byte, error) {
	_, rest, ok := strings.Cut(h.Get(httpsig.HeaderSignature), httpsig.ExchangeLabel+"=:")
	text, _, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return nil, fmt.Errorf("%w: %s", httpsig.ErrNoSignature, httpsig.HeaderSignature)
	}
	return base64.StdEncoding.DecodeString(text)
}

// keepHTTP records a message of the second profile; with wait it returns when the
// record is durable.
func (g *Gateway) keepHTTP(ctx context.Context, n *httpNote, wait bool) error {
	seq, err := g.journal.AppendNote(noteHTTP, n.append(nil))
	if err == nil && wait {
		err = g.journal.Wait(ctx, seq)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", link.ErrJournal, err)
	}
	return nil
}

// parseUUID reads the sixteen bytes of a UUID.
func parseUUID(s string) (id [16]byte, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != 16 || uuid([16]byte(b)) != s {
		return id, false
	}
	return [16]byte(b), true
}
