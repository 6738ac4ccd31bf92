package identity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Whom a sign-in provider serves.
const (
	ForPeople   = "people"
	ForOfficers = "officers"
	ForAll      = "all"
)

// Provider is an OpenID Connect provider as an operator describes it.
type Provider struct {
	// ID names it in addresses of this site: small letters, digits, hyphens.
	ID string
	// Issuer is its exact issuer identifier. Only https, and http on this machine.
	Issuer       string
	ClientID     string
	ClientSecret string // empty for a public client
	Name         gov.Text
	For          string
	Scopes       []string // beside "openid"
	Claims       ClaimNames
	// UserInfo also asks the user info endpoint, for providers that leave claims
	// out of the ID token.
	UserInfo bool
	// Confirms says that signing in anew there counts as a second factor here.
	Confirms bool
	// Demo labels it as a part of a demonstration.
	Demo bool

	mu      sync.Mutex
	found   *discovered
	tried   time.Time
	failure error
	client  *http.Client
}

// discovered is what the provider says of itself.
type discovered struct {
	*oidc.Provider
	verifier   *oidc.IDTokenVerifier
	endSession string
	saysIssuer bool // it names itself in its answers (RFC 9207)
}

var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// Check refuses a description that can't work or is not safe.
func (p *Provider) Check() error {
	u, err := url.Parse(p.Issuer)
	switch {
	case !providerName.MatchString(p.ID):
		return fmt.Errorf("sign-in provider %q: the id is small letters, digits and hyphens", p.ID)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !safeScheme(u):
		return fmt.Errorf("sign-in provider %s: the issuer must be an https address without a query, not %q", p.ID, p.Issuer)
	case p.ClientID == "":
		return fmt.Errorf("sign-in provider %s: client_id is missing", p.ID)
	case !slices.Contains([]string{ForPeople, ForOfficers, ForAll}, p.For):
		return fmt.Errorf("sign-in provider %s: for must be people, officers or all, not %q", p.ID, p.For)
	case p.Name.Empty():
		return fmt.Errorf("sign-in provider %s: it has no name", p.ID)
	}
	return nil
}

// safeScheme admits plain HTTP on this machine alone.
func safeScheme(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// serves tells whether a provider is for a part of the site.
func (p *Provider) serves(root string) bool {
	return p.For == ForAll || root == Me && p.For == ForPeople || root == Office && p.For == ForOfficers
}

// Bounds on what a provider may send us.
const (
	maxProviderAnswer = 1 << 20
	providerTimeout   = 10 * time.Second
)

// retryAfter is how long a provider that did not answer is left alone.
const retryAfter = 5 * time.Second

// boundedClient talks to providers: few seconds, few redirects and never from
// https to http, and no more bytes than a provider has to say.
func boundedClient() *http.Client {
	return &http.Client{Timeout: providerTimeout, Transport: boundedTransport{http.DefaultTransport}, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 || !safeScheme(r.URL) {
			return errors.New("the provider sends its callers around")
		}
		return nil
	}}
}

type boundedTransport struct{ next http.RoundTripper }

// RoundTrip bounds the answer.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.ContentLength > maxProviderAnswer {
		res.Body.Close()
		return nil, errors.New("the provider's answer is too long")
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxProviderAnswer), res.Body}
	return res, nil
}

// discover asks the provider for its description, once it answers never again. It
// is asked when somebody wants to sign in and not at the start: a provider that is
// down must not keep the portal down.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if p.failure != nil && time.Since(p.tried) < retryAfter {
		return nil, p.failure
	}
	if p.client == nil {
		p.client = boundedClient()
	}
	p.tried = time.Now()
	// The keys are fetched again later, when this request has long ended.
	d, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.Issuer)
	if err != nil {
		p.failure = problem.Wrap(err, problem.Unavailable, "sign_in.provider_down")
		return nil, p.failure
	}
	var more struct {
		EndSession string   `json:"end_session_endpoint"`
		SaysIssuer bool     `json:"authorization_response_iss_parameter_supported"`
		Challenges []string `json:"code_challenge_methods_supported"`
	}
	if err := d.Claims(&more); err != nil {
		p.failure = problem.Wrap(err, problem.Unavailable, "sign_in.provider_down")
		return nil, p.failure
	}
	if len(more.Challenges) > 0 && !slices.Contains(more.Challenges, "S256") {
		p.failure = problem.Wrap(errors.New("the provider has no PKCE with S256"), problem.Unavailable, "sign_in.provider_down")
		return nil, p.failure
	}
	for _, s := range []string{d.Endpoint().AuthURL, d.Endpoint().TokenURL} {
		if u, err := url.Parse(s); err != nil || !safeScheme(u) {
			p.failure = problem.Wrap(fmt.Errorf("the provider's address %q is not safe", s), problem.Unavailable, "sign_in.provider_down")
			return nil, p.failure
		}
	}
	if u, err := url.Parse(more.EndSession); err != nil || !safeScheme(u) {
		more.EndSession = ""
	}
	p.found = &discovered{Provider: d, endSession: more.EndSession, saysIssuer: more.SaysIssuer,
		verifier: d.Verifier(&oidc.Config{ClientID: p.ClientID})}
	return p.found, nil
}

// context carries the bounded client to the libraries.
func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

func (p *Provider) oauth(d *discovered, redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: d.Endpoint(), RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...)}
}
