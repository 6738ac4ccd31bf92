package holder

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
)

// consentTime is how long a person may take to decide in the browser.
const consentTime = 10 * time.Minute

// callbackPath is where the browser brings the answer, on this machine.
const callbackPath = "/callback"

// consented receives documents after the person consented at the issuer.
func (w *Wallet) consented(ctx context.Context, m *vci.Metadata, g vci.CodeGrant, wanted []string, o ReceiveOptions) ([]*Document, error) {
	if o.Browse == nil {
		return nil, fmt.Errorf("%w: it needs a browser to consent in", ErrOffer)
	}
	s, err := w.session(ctx, m, g.Server)
	if err != nil {
		return nil, err
	}
	if s.server.PushEndpoint == "" || s.server.AuthorizationEndpoint == "" || !slices.Contains(s.server.ChallengeMethods, oauth.S256) {
		return nil, fmt.Errorf("%w: the issuer takes no pushed requests with a proof key", ErrOffer)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("waiting for the browser: %w", err)
	}
	defer l.Close()
	verifier := oauth.NewVerifier()
	r := oauth.AuthorizationRequest{ClientID: w.ClientID, ResponseType: "code", RedirectURI: "http://" + l.Addr().String() + callbackPath, State: oauth.NewVerifier(),
		CodeChallenge: oauth.Challenge(verifier), CodeChallengeMethod: oauth.S256, IssuerState: g.IssuerState}
	if err := s.aim(&r, wanted); err != nil {
		return nil, err
	}
	address, err := s.push(ctx, r)
	if err != nil {
		return nil, err
	}
	code, err := awaitCode(ctx, l, r.State, s.server.Issuer, func() error { return o.Browse(ctx, address) })
	if err != nil {
		return nil, err
	}
	if err := s.redeem(ctx, oauth.TokenRequest{GrantType: oauth.GrantCode, ClientID: w.ClientID, Code: code, CodeVerifier: verifier, RedirectURI: r.RedirectURI}); err != nil {
		return nil, err
	}
	return s.receive(ctx, wanted, o)
}

// aim says in a request what is wanted: by scope where there is one (HAIP 1.0 §4.1).
func (s *session) aim(r *oauth.AuthorizationRequest, wanted []string) error {
	var scopes []string
	var details []vci.AuthorizationDetail
	for _, id := range wanted {
		if scope := s.issuer.Configurations[id].Scope; scope != "" {
			scopes = append(scopes, scope)
			continue
		}
		d := vci.AuthorizationDetail{Type: vci.DetailType, Configuration: id}
		if len(s.issuer.AuthorizationServers) > 0 {
			d.Locations = []string{s.issuer.Issuer}
		}
		details = append(details, d)
	}
	r.Scope = strings.Join(scopes, " ")
	if len(details) > 0 {
		b, err := json.Marshal(details)
		if err != nil {
			return err
		}
		r.Details = string(b)
	}
	if s.key != nil {
		var err error
		r.DPoPThumbprint, err = jws.Thumbprint(s.key.Public())
		return err
	}
	return nil
}

// push leaves the request with the server and returns where the browser goes: the
// address tells nothing of what was asked for.
func (s *session) push(ctx context.Context, r oauth.AuthorizationRequest) (string, error) {
	a, err := s.post(ctx, s.server.PushEndpoint, formKind, []byte(r.Form().Encode()), false)
	if err != nil {
		return "", err
	}
	if a.status != http.StatusCreated {
		return "", a.refused("asking to consent")
	}
	p, err := oauth.ParsePushResponse(a.body)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(s.server.AuthorizationEndpoint)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAddress, err)
	}
	q := u.Query()
	for n, v := range (oauth.AuthorizationRequest{ClientID: r.ClientID, RequestURI: p.RequestURI}).Form() {
		q[n] = v
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// awaitCode waits until the browser brings the answer that belongs to the state. Others
// on this machine can knock too: what is not the answer is turned away, and the waiting
// goes on.
func awaitCode(ctx context.Context, l net.Listener, state, issuer string, begin func() error) (string, error) {
	type outcome struct {
		code string
		err  error
	}
	ctx, stop := context.WithTimeout(ctx, consentTime)
	defer stop()
	done := make(chan outcome, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+callbackPath, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Cache-Control", "no-store")
		rw.Header().Set("Referrer-Policy", "no-referrer")
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if r.URL.Query().Get("state") != state {
			http.Error(rw, "this is not what is waited for", http.StatusBadRequest)
			return
		}
		code, err := oauth.ReadAuthorizationResponse(r.URL.Query(), state, issuer)
		select {
		case done <- outcome{code, err}:
			fmt.Fprintln(rw, "This window can be closed.")
		default:
			http.Error(rw, "it was answered before", http.StatusConflict)
		}
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: maxDial, MaxHeaderBytes: 32 << 10}
	go srv.Serve(l)
	defer func() {
		closing, end := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer end()
		_ = srv.Shutdown(closing)
	}()
	if err := begin(); err != nil {
		return "", err
	}
	select {
	case <-ctx.Done():
		return "", fmt.Errorf("waiting for the browser: %w", ctx.Err())
	case o := <-done:
		return o.code, o.err
	}
}
