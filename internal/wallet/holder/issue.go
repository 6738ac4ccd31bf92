package holder

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vci"
)

// Pending is what it takes to ask again for a document that is still to be issued.
type Pending struct {
	Transaction string    `json:"transaction"`
	Server      string    `json:"server"` // the authorization server
	Scheme      string    `json:"scheme"`
	Token       string    `json:"token"`
	Session     []byte    `json:"session,omitempty"` // key of the session, PKCS #8
	Keys        [][]byte  `json:"keys"`              // of the copies
	NotBefore   time.Time `json:"not_before"`        // when the issuer wants to be asked again
	Plain       bool      `json:"plain,omitempty"`
}

// held is a key with the form in which it is kept.
type held struct {
	key   *ecdsa.PrivateKey
	pkcs8 []byte
}

// issue asks for the copies of one document.
func (s *session) issue(ctx context.Context, configuration, identifier string, o ReceiveOptions) (*Document, error) {
	n := o.Copies
	if n <= 0 {
		n = defaultCopies
	}
	n = min(n, s.issuer.BatchSize(), maxCopies)
	c := s.issuer.Configurations[configuration]
	if !c.Bound() {
		return nil, fmt.Errorf("%w: it would be bound to no key, and anybody's who reads it", ErrOffer)
	}
	if p, ok := c.ProofTypes[vci.ProofJWT]; !ok || !slices.Contains(p.Algorithms, "ES256") || p.Attestations != nil {
		return nil, fmt.Errorf("%w: it wants a proof of keys that this wallet can't give", ErrOffer)
	}
	keys := make([]held, n)
	for i := range keys {
		var err error
		if keys[i].key, keys[i].pkcs8, err = newKey(); err != nil {
			return nil, err
		}
	}
	d := &Document{ID: newID(), Issuer: s.issuer.Issuer, Configuration: configuration, Format: c.Format, Type: c.VCT + c.Doctype}
	if c.Details != nil {
		for _, x := range c.Details.Display {
			d.Names = append(d.Names, vci.Label{Name: x.Name, Locale: x.Locale})
		}
		d.Labels = c.Details.Claims
	}
	r, err := s.request(ctx, configuration, identifier, keys, o.Plain)
	if err != nil {
		return nil, err
	}
	return d, s.accept(ctx, d, r, keys, o.Plain)
}

// request asks for copies; where the issuer's nonce became stale on the way, once more.
func (s *session) request(ctx context.Context, configuration, identifier string, keys []held, plain bool) (*vci.CredentialResponse, error) {
	for first := true; ; first = false {
		req := vci.CredentialRequest{Identifier: identifier, Proofs: &vci.Proofs{Type: vci.ProofJWT}}
		if identifier == "" {
			req.Configuration = configuration
		}
		nonce, err := s.nonce(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range keys { // without the client's name, which may be left out (OpenID4VCI 1.0 appendix F.1)
			p, err := vci.Proof{Key: k.key, Issuer: s.issuer.Issuer, Nonce: nonce, Now: s.w.now()}.Sign()
			if err != nil {
				return nil, fmt.Errorf("proving a key: %w", err)
			}
			req.Proofs.Values = append(req.Proofs.Values, p)
		}
		var to *jwe.Key
		if req.Encryption, to, err = s.responseKey(plain); err != nil {
			return nil, err
		}
		r, err := s.ask(ctx, s.issuer.CredentialEndpoint, req, to, len(keys), plain)
		if first && errors.Is(err, vci.InvalidNonce) {
			continue
		}
		return r, err
	}
}

// responseKey is a key to which the issuer encrypts its answer: for one request.
func (s *session) responseKey(plain bool) (*vci.ResponseKey, *jwe.Key, error) {
	e := s.issuer.ResponseEncryption
	if e == nil || s.issuer.RequestEncryption == nil || plain && !e.Required {
		return nil, nil, nil
	}
	enc, err := jwe.Select(e.Enc)
	if err != nil {
		return nil, nil, err
	}
	k, err := jwe.NewKey()
	if err != nil {
		return nil, nil, err
	}
	public := k.Public()
	return &vci.ResponseKey{JWK: &public, Enc: enc}, k, nil
}

// ask posts a request for documents and reads the answer.
func (s *session) ask(ctx context.Context, address string, request any, to *jwe.Key, keys int, plain bool) (*vci.CredentialResponse, error) {
	m := s.issuer
	if plain && to == nil && m.RequestEncryption != nil && !m.RequestEncryption.Required {
		copied := *m
		copied.RequestEncryption, m = nil, &copied
	}
	body, kind, err := m.Body(request)
	if err != nil {
		return nil, err
	}
	a, err := s.post(ctx, address, kind, body, true)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK && a.status != http.StatusAccepted {
		return nil, a.refused("asking for the document")
	}
	text, err := vci.OpenResponse(a.body, a.header.Get("Content-Type"), to)
	if err != nil {
		return nil, err
	}
	r, err := vci.ParseResponse(text, keys)
	if err == nil && r.Status() != a.status {
		err = fmt.Errorf("%w: status %d does not fit what it says", ErrAnswer, a.status)
	}
	return r, err
}

// accept checks what came and keeps it, or keeps what it takes to ask again. The issuer
// is told how it went; that it could not be told changes nothing.
func (s *session) accept(ctx context.Context, d *Document, r *vci.CredentialResponse, keys []held, plain bool) error {
	d.Received = s.w.now().UTC().Truncate(time.Second)
	if r.Transaction != "" {
		d.Pending = &Pending{Transaction: r.Transaction, Server: s.server.Issuer, Scheme: s.token.Scheme, Token: s.token.Token, Session: s.pkcs8, Plain: plain,
			NotBefore: d.Received.Add(time.Duration(min(max(r.Interval, 1), 1<<20)) * time.Second)}
		for _, k := range keys {
			d.Pending.Keys = append(d.Pending.Keys, k.pkcs8)
		}
		return s.w.Store.Put(d)
	}
	err := s.trust.check(d, r.Credentials, keys)
	if err == nil {
		d.Pending, d.Notification, d.Listed = nil, r.Notification, s.trust.list != nil
		err = s.w.Store.Put(d)
	}
	event := vci.Accepted
	if err != nil {
		event = vci.Failure
	}
	s.notify(ctx, r.Notification, event)
	return err
}

// notify tells the issuer what became of a document.
func (s *session) notify(ctx context.Context, id, event string) {
	if id == "" || s.issuer.NotificationEndpoint == "" {
		return
	}
	body, err := encode(vci.Notification{ID: id, Event: event})
	if err == nil {
		_, _ = s.post(ctx, s.issuer.NotificationEndpoint, vci.JSON, body, true)
	}
}

// Fetch asks again for a document that the issuer had still to issue. [ErrWaiting] means
// that it has not, and that Pending.NotBefore says when to ask next.
func (w *Wallet) Fetch(ctx context.Context, d *Document) error {
	p := d.Pending
	if p == nil {
		return nil
	}
	if now := w.now(); now.Before(p.NotBefore) {
		return fmt.Errorf("%w; ask again in %s", ErrWaiting, p.NotBefore.Sub(now).Round(time.Second))
	}
	m, err := w.describe(ctx, d.Issuer)
	if err != nil {
		return err
	}
	s, err := w.session(ctx, m, hint(m, p.Server))
	if err != nil {
		return err
	}
	s.token, s.key, s.pkcs8 = oauth.Authorization{Scheme: p.Scheme, Token: p.Token}, nil, p.Session
	if len(p.Session) > 0 {
		if s.key, err = readKey(p.Session); err != nil {
			return err
		}
	}
	keys := make([]held, len(p.Keys))
	for i, b := range p.Keys {
		keys[i].pkcs8 = b
		if keys[i].key, err = readKey(b); err != nil {
			return err
		}
	}
	req := vci.DeferredRequest{Transaction: p.Transaction}
	var to *jwe.Key
	if req.Encryption, to, err = s.responseKey(p.Plain); err != nil {
		return err
	}
	r, err := s.ask(ctx, m.DeferredEndpoint, req, to, len(keys), p.Plain)
	if err != nil {
		return err
	}
	if r.Transaction != "" && r.Transaction != p.Transaction {
		return fmt.Errorf("%w: it names another transaction", ErrAnswer)
	}
	if err := s.accept(ctx, d, r, keys, p.Plain); err != nil {
		return err
	}
	if d.Pending != nil {
		return fmt.Errorf("%w; ask again in %s", ErrWaiting, d.Pending.NotBefore.Sub(w.now()).Round(time.Second))
	}
	return nil
}

// hint names a server where the issuer lists several.
func hint(m *vci.Metadata, server string) string {
	if len(m.AuthorizationServers) > 1 {
		return server
	}
	return ""
}
