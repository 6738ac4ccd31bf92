package holder

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
)

const formKind = "application/x-www-form-urlencoded"

// session is what is known while documents are received from one issuer.
type session struct {
	w      *Wallet
	trust  *trust
	issuer *vci.Metadata
	server *oauth.Metadata
	// key is what tokens are bound to: one for each session, so that an issuer can't
	// tell by it that two sessions are of one wallet. It is nil where the server binds
	// none.
	key     *ecdsa.PrivateKey
	pkcs8   []byte
	nonces  map[string]string // for proofs, by host
	token   oauth.Authorization
	details []vci.AuthorizationDetail
	word    *attestation // the issuer's for this wallet, nil where it gave none
}

// describe fetches the metadata of an issuer.
func (w *Wallet) describe(ctx context.Context, issuer string) (*vci.Metadata, error) {
	at, err := oauth.WellKnown(issuer, vci.MetadataName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	a, err := w.get(ctx, "asking what the issuer offers", at, vci.JSON)
	if err != nil {
		return nil, err
	}
	return vci.ParseMetadata(a.body, issuer)
}

// session begins a session; hint is the authorization server that an offer names. Whom
// to trust is found out first: a code is good once, and not to be spent on an issuer of
// whom nothing would be kept.
func (w *Wallet) session(ctx context.Context, m *vci.Metadata, hint string) (*session, error) {
	id, err := m.Server(hint)
	if err != nil {
		return nil, err
	}
	at, err := oauth.WellKnown(id, oauth.MetadataName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	a, err := w.get(ctx, "asking how the issuer gives leave", at, vci.JSON)
	if err != nil {
		return nil, err
	}
	s := &session{w: w, issuer: m, nonces: map[string]string{}}
	if s.trust, err = w.trustIn(ctx, m.Issuer); err != nil {
		return nil, err
	}
	if s.server, err = oauth.ParseMetadata(a.body, id); err != nil {
		return nil, err
	}
	if err := s.contained(); err != nil {
		return nil, err
	}
	if slices.Contains(s.server.DPoPAlgorithms, "ES256") {
		s.key, s.pkcs8, err = newKey()
	}
	return s, err
}

// contained refuses an issuer elsewhere whose endpoints lie on this machine: it would
// have the wallet call what others can't reach.
func (s *session) contained() error {
	if oauth.Loopback(s.issuer.Issuer) {
		return nil
	}
	m, a := s.issuer, s.server
	for _, at := range []string{m.CredentialEndpoint, m.NonceEndpoint, m.DeferredEndpoint, m.NotificationEndpoint, a.Issuer, a.TokenEndpoint, a.PushEndpoint} {
		if at != "" && oauth.Loopback(at) {
			return fmt.Errorf("%w: the issuer names one on this machine", ErrAddress)
		}
	}
	return nil
}

// proof adds the proof of the key, and the token when there is one.
func (s *session) proof(address string, withToken bool) (http.Header, error) {
	head := http.Header{}
	token := ""
	if withToken {
		token = s.token.Token
		head.Set("Authorization", s.token.String())
	}
	if s.key == nil {
		return head, nil
	}
	text, err := oauth.DPoP{Key: s.key, Method: http.MethodPost, URL: address, Now: s.w.now(), Nonce: s.nonces[hostOf(address)], AccessToken: token}.Make()
	if err != nil {
		return nil, fmt.Errorf("proving the key of the session: %w", err)
	}
	head.Set(oauth.DPoPHeader, text)
	return head, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// post sends with a proof, and once more where the server wants one with its nonce.
func (s *session) post(ctx context.Context, address, kind string, body []byte, withToken bool) (*answer, error) {
	for tries := 0; ; {
		head, err := s.proof(address, withToken)
		if err != nil {
			return nil, err
		}
		if !withToken {
			if err := s.attest(ctx, head); err != nil {
				return nil, err
			}
		}
		a, err := s.w.do(ctx, call{method: http.MethodPost, address: address, kind: kind, header: head, body: body})
		if err != nil {
			return nil, err
		}
		again := !withToken && s.challenged(a)
		if fresh := a.header.Get(oauth.DPoPNonceHeader); fresh != "" && len(fresh) <= 4096 {
			s.nonces[hostOf(address)] = fresh
			again = again || s.key != nil && wantsNonce(a)
		}
		if tries++; again && tries < 3 { // one for the nonce and one for the challenge
			continue
		}
		return a, nil
	}
}

// wantsNonce tells whether a server refused a proof for its nonce alone (RFC 9449 §8
// and §9).
func wantsNonce(a *answer) bool {
	switch a.status {
	case http.StatusBadRequest:
		return oauth.ParseError(a.body).Code == oauth.UseDPoPNonce
	case http.StatusUnauthorized:
		return strings.Contains(a.header.Get("WWW-Authenticate"), `"`+string(oauth.UseDPoPNonce)+`"`)
	}
	return false
}

// redeem takes a token for a code.
func (s *session) redeem(ctx context.Context, r oauth.TokenRequest) error {
	a, err := s.post(ctx, s.server.TokenEndpoint, formKind, []byte(r.Form().Encode()), false)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return a.refused("asking for leave")
	}
	t, err := oauth.ParseTokenResponse(a.body)
	if err != nil {
		return err
	}
	if s.key != nil && !strings.EqualFold(t.TokenType, oauth.DPoPScheme) {
		return fmt.Errorf("%w: the token is not bound to the key of the session", ErrAnswer)
	}
	if s.key == nil && !strings.EqualFold(t.TokenType, oauth.Bearer) {
		return fmt.Errorf("%w: a token of type %q", ErrAnswer, t.TokenType)
	}
	s.token = oauth.Authorization{Scheme: oauth.Bearer, Token: t.AccessToken}
	if s.key != nil {
		s.token.Scheme = oauth.DPoPScheme
	}
	if len(t.Details) == 0 {
		return nil
	}
	location := ""
	if len(s.issuer.AuthorizationServers) > 0 {
		location = s.issuer.Issuer
	}
	s.details, err = vci.ParseDetails(t.Details, location)
	return err
}

// identifiers are the names of what the token fetches of a configuration; none where
// the server gave none, and it is asked for by the configuration.
func (s *session) identifiers(configuration string) (out []string) {
	for _, d := range s.details {
		if d.Configuration == configuration {
			out = append(out, d.Identifiers...)
		}
	}
	return out
}

// nonce fetches a nonce for proofs of keys, "" where the issuer has none.
func (s *session) nonce(ctx context.Context) (string, error) {
	if s.issuer.NonceEndpoint == "" {
		return "", nil
	}
	a, err := s.w.do(ctx, call{method: http.MethodPost, address: s.issuer.NonceEndpoint})
	if err != nil {
		return "", err
	}
	if a.status != http.StatusOK {
		return "", a.refused("asking for a nonce")
	}
	if fresh := a.header.Get(oauth.DPoPNonceHeader); fresh != "" && len(fresh) <= 4096 {
		s.nonces[hostOf(s.issuer.NonceEndpoint)] = fresh
	}
	return vci.ParseNonce(a.body)
}
