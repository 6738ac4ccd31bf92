package gateway

import (
	"bytes"
	"context"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"

	"diwan/protocol/httpsig"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// httpPeers are the clients of members that speak the second profile only.
type httpPeers struct {
	mu       sync.Mutex
	m        map[string]*http.Client
	verifier httpsig.ExchangeVerifier
}

// of returns the client of a member: TLS must prove that member.
func (p *httpPeers) of(g *Gateway, member string) *http.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.m[member]; c != nil {
		return c
	}
	conf := g.clientTLS()
	conf.NextProtos = []string{"http/1.1"}
	peer := g.peer(x509.ExtKeyUsageServerAuth)
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		got, err := peer(s)
		if err == nil && got != member {
			err = fmt.Errorf("%w: reached %q, not %q", link.ErrWrongMember, got, member)
		}
		return err
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: unusedFor, MaxResponseHeaderBytes: 2 * xroad.MaxHead},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if p.m == nil {
		p.m = map[string]*http.Client{}
	}
	p.m[member] = c
	return c
}

// askHTTP sends a question by the second profile.
func (g *Gateway) askHTTP(ctx context.Context, t *trust, name peerName, q *question) (*reply, *xroad.Error) {
	bases := httpAddressesOf(t, name)
	if len(bases) == 0 {
		return nil, here(xroad.NetworkError, "the directory names no address of the provider's gateways")
	}
	if q.stream != nil {
		return nil, here(xroad.InvalidRequest, fmt.Sprintf("the provider's gateway takes bodies of at most %d bytes", link.MaxInline))
	}
	id := link.NewRequestID()
	head, ownID, xerr := g.head(q, uuid(id))
	if xerr != nil {
		return nil, xerr
	}
	var last error
	for _, base := range bases {
		resp, err := g.sendHTTP(ctx, base, name.member, id, q, head)
		if err != nil {
			last = err
			if errors.Is(err, link.ErrNotSent) {
				continue
			}
			break
		}
		r, err := g.acceptHTTP(ctx, resp, name.member, id, q, head, ownID)
		if err == nil {
			return r, nil
		}
		last = err
		break
	}
	e := failed(last)
	g.noteRefused(id, true, e)
	return nil, e
}

func httpAddressesOf(t *trust, name peerName) []string {
	var out []string
	if m := t.view.Members[name.member]; m != nil {
		for _, n := range m.Nodes {
			if n.HTTP != "" && (name.node == "" || n.Name == name.node) {
				out = append(out, n.HTTP)
			}
		}
	}
	return out
}

// sendHTTP signs, records and sends one message.
func (g *Gateway) sendHTTP(ctx context.Context, base, member string, id link.RequestID, q *question, head []byte) (*http.Response, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" {
		return nil, fmt.Errorf("%w: the address %q", link.ErrNotSent, base)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, base, bytes.NewReader(q.body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", link.ErrNotSent, err)
	}
	req.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Opaque: q.target.Raw()}
	req.Header = http.Header{"User-Agent": {""}}
	m := httpsig.FromRequest(req)
	text, err := httpsig.SignExchangeRequest(m, httpsig.Outgoing{Signer: g.httpSigner(), Head: head, BodySum: sha512.Sum512(q.body), Now: g.clock.Now()})
	if err != nil {
		return nil, here(xroad.InvalidRequest, "the head is too long for the provider's gateway")
	}
	sig, err := signatureOf(req.Header)
	if err == nil {
		err = g.keepHTTP(ctx, &httpNote{sent: true, id: id, key: g.signer.Public().ID(), signature: sig, base: text}, false)
	}
	if err != nil {
		return nil, err
	}
	resp, err := g.httpPeers.of(g, member).Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, fmt.Errorf("%w: %w", link.ErrNotSent, err)
		}
		return nil, fmt.Errorf("%w: %w", link.ErrLost, err)
	}
	resp.Request = req
	return resp, nil
}

// acceptHTTP verifies an answer, records it, and holds it to its request.
func (g *Gateway) acceptHTTP(ctx context.Context, resp *http.Response, member string, id link.RequestID, q *question, head []byte, ownID string) (*reply, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHTTPBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", link.ErrLost, err)
	}
	if name := resp.Header.Get(xroad.ErrorHeader); name != "" {
		return nil, &link.Error{Type: name, Remote: true}
	}
	if len(body) > maxHTTPBody {
		return nil, here(xroad.InconsistentResponse, "the answer is longer than the profile allows")
	}
	hash := xroad.HashRequest(head, q.body)
	good, err := g.httpPeers.verifier.VerifyExchangeResponse(ctx, httpsig.FromResponse(resp, resp.Request), member, sha512.Sum512(body), hash)
	if err != nil {
		return nil, httpFault(err)
	}
	key, _ := keyIDOf(good.Params.KeyID)
	if err := g.keepHTTP(ctx, &httpNote{response: true, id: id, key: key, signature: good.Signature, base: good.Base}, true); err != nil {
		return nil, err
	}
	h, err := xroad.ParseResponseHead(good.Head)
	if err != nil {
		return nil, err
	}
	if h.Status != resp.StatusCode {
		return nil, here(xroad.InconsistentResponse, "the answer has two statuses")
	}
	if err := h.Check(xroad.Stamp{Client: q.headers.Client, Service: q.target.Service, ID: ownID, RequestID: uuid(id), RequestHash: hash}); err != nil {
		return nil, err
	}
	return &reply{status: h.Status, fields: h.Fields, body: body, id: uuid(id)}, nil
}

func httpFault(err error) error {
	switch {
	case errors.Is(err, link.ErrUnknownKey), errors.Is(err, httpsig.ErrPeer):
		return here(xroad.UnknownMember, "the answer was not signed by the member that was asked")
	case errors.Is(err, httpsig.ErrDigest), errors.Is(err, httpsig.ErrPolicy), errors.Is(err, httpsig.ErrTime), errors.Is(err, httpsig.ErrReplay):
		return here(xroad.InconsistentResponse, "")
	}
	return here(xroad.InvalidSignatureValue, "the answer's signature does not hold")
}
