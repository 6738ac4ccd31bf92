package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"diwan/examples/signin/people"
)

// How long somebody may take to choose, and how many may be choosing at once.
const (
	requestLife = 15 * time.Minute
	maxRequests = 10_000
	maxSessions = 50 // of one person
)

// storage is everything the provider knows, in memory: nothing of a demonstration
// has to outlive it.
type storage struct {
	options Options
	key     *ecdsa.PrivateKey
	keyID   string
	people  map[string]*people.Person

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string   // code to request
	sessions map[string][]string // sid by person
}

// request is one sign-in under way.
type request struct {
	*oidc.AuthRequest
	id, subject, sid string
	began, at        time.Time
}

func (q *request) GetID() string                      { return q.id }
func (q *request) GetACR() string                     { return "" }
func (q *request) GetAMR() []string                   { return nil }
func (q *request) GetAudience() []string              { return []string{q.ClientID} }
func (q *request) GetAuthTime() time.Time             { return q.at }
func (q *request) GetClientID() string                { return q.ClientID }
func (q *request) GetNonce() string                   { return q.Nonce }
func (q *request) GetRedirectURI() string             { return q.RedirectURI }
func (q *request) GetResponseType() oidc.ResponseType { return q.ResponseType }
func (q *request) GetResponseMode() oidc.ResponseMode { return q.ResponseMode }
func (q *request) GetScopes() []string                { return q.Scopes }
func (q *request) GetState() string                   { return q.State }
func (q *request) GetSubject() string                 { return q.subject }
func (q *request) Done() bool                         { return q.subject != "" }
func (q *request) GetCodeChallenge() *oidc.CodeChallenge {
	if q.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: q.CodeChallenge, Method: q.CodeChallengeMethod}
}

func (s *storage) request(id string) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.requests[id]
	if q == nil || time.Since(q.began) > requestLife {
		return nil
	}
	return q
}

// signIn notes who was chosen.
func (s *storage) signIn(id, login string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.requests[id]
	if q == nil || time.Since(q.began) > requestLife || s.people[login] == nil {
		return false
	}
	q.subject, q.at, q.sid = login, time.Now(), rand.Text()
	s.sessions[login] = append(s.sessions[login], q.sid)
	if n := len(s.sessions[login]); n > maxSessions {
		s.sessions[login] = s.sessions[login][n-maxSessions:]
	}
	return true
}

// CreateAuthRequest begins a sign-in. Only PKCE with S256 is taken.
func (s *storage) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if r.CodeChallenge == "" || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("code_challenge with S256 is required")
	}
	if slices.Contains(r.Prompt, oidc.PromptNone) {
		return nil, oidc.ErrLoginRequired()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, q := range s.requests {
		if time.Since(q.began) > requestLife {
			delete(s.requests, id)
		}
	}
	if len(s.requests) >= maxRequests {
		return nil, oidc.ErrServerError().WithDescription("too many are signing in")
	}
	q := &request{AuthRequest: r, id: rand.Text(), began: time.Now()}
	s.requests[q.id] = q
	return q, nil
}

// AuthRequestByID returns a sign-in under way.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	if q := s.request(id); q != nil {
		return q, nil
	}
	return nil, errors.New("no such sign-in")
}

// AuthRequestByCode returns the sign-in of a code and uses the code up.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id, ok := s.codes[code]
	delete(s.codes, code)
	s.mu.Unlock()
	if !ok {
		return nil, errors.New("no such code")
	}
	return s.AuthRequestByID(ctx, id)
}

// SaveAuthCode keeps a code.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest forgets a sign-in.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	for c, of := range s.codes {
		if of == id {
			delete(s.codes, c)
		}
	}
	return nil
}

// CreateAccessToken makes a token that opens nothing here: all claims are in the
// ID token.
func (s *storage) CreateAccessToken(context.Context, op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), time.Now().Add(5 * time.Minute), nil
}

var errNoRefresh = oidc.ErrUnsupportedGrantType()

// CreateAccessAndRefreshTokens refuses: nothing is refreshed.
func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNoRefresh
}

// TokenRequestByRefreshToken refuses: nothing is refreshed.
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

// GetRefreshTokenInfo refuses: nothing is refreshed.
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// RevokeToken has nothing to revoke.
func (s *storage) RevokeToken(context.Context, string, string, string) *oidc.Error { return nil }

// TerminateSession signs a person out and tells the site, in the background.
func (s *storage) TerminateSession(_ context.Context, user, _ string) error {
	s.mu.Lock()
	sids := s.sessions[user]
	delete(s.sessions, user)
	s.mu.Unlock()
	if len(sids) > 0 && len(s.options.Sites) > 0 {
		go s.tell(user, sids)
	}
	return nil
}

// tell sends the site a logout token for each session (OpenID Connect Back-Channel
// Logout).
func (s *storage) tell(user string, sids []string) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: &jose.JSONWebKey{Key: s.key, KeyID: s.keyID}}, (&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		return
	}
	client := &http.Client{Timeout: 5 * time.Second}
	for _, sid := range sids {
		token, err := crypto.Sign(oidc.NewLogoutTokenClaims(s.options.Issuer, user, oidc.Audience{s.options.ClientID}, time.Now().Add(time.Minute), rand.Text(), sid, 0), signer)
		if err != nil {
			return
		}
		res, err := client.PostForm(s.options.Sites[0]+s.options.Logout, url.Values{"logout_token": {token}})
		if err == nil {
			res.Body.Close()
		}
	}
}

type signingKey struct{ s *storage }

func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k signingKey) Key() any                                    { return k.s.key }
func (k signingKey) ID() string                                  { return k.s.keyID }

type publicKey struct{ signingKey }

func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.s.key.PublicKey }

// SigningKey returns the key of this run.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s}, nil }

// SignatureAlgorithms returns the one that is used.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet returns what is published.
func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{signingKey{s}}}, nil
}

// GetClientByClientID returns the one site.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.options.ClientID {
		return nil, oidc.ErrInvalidClient()
	}
	return client{&s.options}, nil
}

// AuthorizeClientIDSecret checks the site's secret.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != s.options.ClientID || s.options.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(s.options.Secret)) != 1 {
		return oidc.ErrInvalidClient()
	}
	return nil
}

// SetUserinfoFromScopes leaves everything to SetUserinfoFromRequest.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest says who was chosen.
func (s *storage) SetUserinfoFromRequest(_ context.Context, u *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	p := s.people[r.GetSubject()]
	if p == nil {
		return errors.New("no such person")
	}
	u.Subject = p.Login
	u.Name = p.Name["fr"]
	u.Birthdate = p.Birthdate
	for l, n := range p.Name {
		u.AppendClaims("name#"+l, n)
	}
	u.AppendClaims("national_id", p.NationalID)
	u.AppendClaims("represents", append([]people.Represents{}, p.Represents...))
	if q, ok := r.(*request); ok {
		u.AppendClaims("sid", q.sid)
	}
	return nil
}

// SetUserinfoFromToken has nothing to say: all claims are in the ID token.
func (s *storage) SetUserinfoFromToken(_ context.Context, u *oidc.UserInfo, _, subject, _ string) error {
	u.Subject = subject
	return nil
}

// SetIntrospectionFromToken knows no token.
func (s *storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errors.New("no such token")
}

// GetPrivateClaimsFromScopes adds nothing.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID knows no key of a client.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errors.New("no such key")
}

// ValidateJWTProfileScopes allows none.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, nil
}

// Health says that the provider runs.
func (s *storage) Health(context.Context) error { return nil }

// client is the one site that people sign in to.
type client struct{ *Options }

func (c client) uris(path string) (out []string) {
	for _, s := range c.Sites {
		out = append(out, strings.TrimRight(s, "/")+path)
	}
	return out
}

func (c client) GetID() string                       { return c.ClientID }
func (c client) RedirectURIs() []string              { return c.uris(c.Callback) }
func (c client) PostLogoutRedirectURIs() []string    { return c.uris(c.SignedOut) }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType         { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c client) LoginURL(id string) string            { return "/choose?request=" + url.QueryEscape(id) }
func (c client) AccessTokenType() op.AccessTokenType  { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration       { return 5 * time.Minute }
func (c client) DevMode() bool                        { return true }
func (c client) IsScopeAllowed(string) bool           { return false }
func (c client) IDTokenUserinfoClaimsAssertion() bool { return true }
func (c client) ClockSkew() time.Duration             { return 0 }
func (c client) AuthMethod() oidc.AuthMethod {
	if c.Secret == "" {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(s []string) []string { return s }
}
