package holder

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/trustlist"
)

// Question is a verifier's request that was found to be the one it says.
type Question struct {
	Request *vp.Request
	// Name is what the verifier's certificate calls it, Host where the answer goes.
	Name, Host string
	// Vouched tells that an operator under one of the wallet's anchors registered who asks,
	// by this certificate, which is for asking. Otherwise it is only known that the request
	// came from whoever holds that certificate.
	Vouched bool

	chain []*x509.Certificate
}

// Ask follows a link with a request for a presentation and checks the request. A verifier
// that was proved and asks for what this wallet can't do is told so.
func (w *Wallet) Ask(ctx context.Context, link string) (*Question, error) {
	l, err := vp.ParseLink(link)
	if err != nil {
		return nil, err
	}
	compact, nonce := l.Request, ""
	if l.RequestURI != "" {
		if compact, nonce, err = w.request(ctx, l); err != nil {
			return nil, err
		}
	}
	if compact == "" {
		return nil, fmt.Errorf("%w: nobody signed the request", ErrUntrusted)
	}
	q := &Question{}
	q.Request, err = vp.OpenRequest(compact, vp.Check{Link: *l, WalletNonce: nonce, Now: w.now(), Trust: func(h jws.Header, _ string) (crypto.PublicKey, error) { return w.verifier(h, q) }})
	if err != nil && q.Request != nil {
		if code := oauth.CodeOf(err); code != "" {
			_, _ = w.answer(ctx, q.Request, q.Request.Refuse(code))
		}
	}
	if err != nil {
		return nil, err
	}
	q.Vouched = w.registered(ctx, q)
	u, err := url.Parse(q.Request.ResponseURI)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	q.Host = u.Host
	if l.RequestURI != "" && oauth.Loopback(q.Request.ResponseURI) && !oauth.Loopback(l.RequestURI) {
		return nil, fmt.Errorf("%w: the answer would go to this machine", ErrAddress)
	}
	return q, nil
}

// request fetches the signed request, with what this wallet can do where the verifier
// wants to know it: then it was made just now.
func (w *Wallet) request(ctx context.Context, l *vp.Link) (compact, nonce string, err error) {
	c := call{method: http.MethodGet, address: l.RequestURI, accept: vp.RequestType}
	if l.Method == vp.Post {
		nonce = vp.NewNonce()
		form, err := vp.Fetch{Nonce: nonce, Wallet: &vp.WalletMetadata{Formats: vp.DefaultFormats(), Prefixes: []string{vp.X509Hash, vp.X509SANDNS}, RequestAlgorithms: []string{jws.ES256},
			ResponseTypes: []string{"vp_token"}, ResponseModes: []string{vp.DirectPost, vp.DirectPostJWT}}}.Form()
		if err != nil {
			return "", "", err
		}
		c.method, c.kind, c.body = http.MethodPost, formKind, []byte(form.Encode())
	}
	a, err := w.do(ctx, c)
	if err != nil {
		return "", "", fmt.Errorf("asking what is asked: %w", err)
	}
	switch {
	case a.status != http.StatusOK:
		return "", "", a.refused("asking what is asked")
	case a.kind() != vp.RequestType:
		return "", "", fmt.Errorf("asking what is asked: %w: it is of the type %q", ErrAnswer, a.kind())
	}
	return string(a.body), nonce, nil
}

// verifier takes the key of whoever signed a request, and finds out who vouches for it.
// That the certificate is the one which the request names is checked by package vp.
func (w *Wallet) verifier(h jws.Header, q *Question) (crypto.PublicKey, error) {
	if err := openid4.CheckChain(h.X5C); err != nil {
		return nil, err
	}
	leaf := h.X5C[0]
	if now := w.now(); now.Add(leeway).Before(leaf.NotBefore) || now.Add(-leeway).After(leaf.NotAfter) {
		return nil, errors.New("the verifier's certificate is not valid now")
	}
	q.Name = leaf.Subject.CommonName
	if len(leaf.Subject.Organization) > 0 {
		q.Name = leaf.Subject.Organization[0]
	}
	q.chain = h.X5C
	return leaf.PublicKey, nil
}

// registered tells whether who asks is registered: by the operator that signed it, whose
// list of issuers is asked for only after its signature led to one of the anchors.
func (w *Wallet) registered(ctx context.Context, q *Question) bool {
	if len(w.Anchors) == 0 {
		return false
	}
	for _, i := range q.Request.Info {
		var token string
		if i.Format != vp.InfoJWT || json.Unmarshal(i.Data, &token) != nil {
			continue
		}
		r, signer, err := trustlist.ParseRegistration(token)
		if err != nil || len(signer) == 0 || !w.anchored(signer) {
			continue
		}
		t, err := w.trustIn(ctx, r.Operator)
		if err != nil {
			continue
		}
		if _, err := t.list.Verifier(q.chain, token, w.now()); err == nil {
			return true
		}
	}
	return false
}

func (w *Wallet) anchored(chain []*x509.Certificate) bool {
	if len(w.Anchors) == 0 {
		return false
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range w.Anchors {
		roots.AddCert(c)
	}
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: w.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err == nil
}

// answer posts a form to the verifier.
func (w *Wallet) answer(ctx context.Context, r *vp.Request, form url.Values) (*vp.Receipt, error) {
	a, err := w.do(ctx, call{method: http.MethodPost, address: r.ResponseURI, kind: formKind, accept: vci.JSON, body: []byte(form.Encode())})
	if err != nil {
		return nil, fmt.Errorf("answering: %w", err)
	}
	if a.status != http.StatusOK {
		return nil, a.refused("answering")
	}
	return vp.ParseReceipt(a.body)
}

// Decline tells a verifier that the holder does not want to answer.
func (w *Wallet) Decline(ctx context.Context, q *Question) (*vp.Receipt, error) {
	return w.answer(ctx, q.Request, q.Request.Refuse(oauth.AccessDenied))
}
