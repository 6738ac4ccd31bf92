package credential

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
)

// Lives of access tokens. One that any bearer can use lives as briefly as OpenID4VCI
// 1.0 §13.10 wants; one that is bound to a key lives as long as a document that waits
// for a signature may reasonably take.
const (
	bearerLife = 5 * time.Minute
	boundLife  = 24 * time.Hour
	nonceLife  = 5 * time.Minute
)

// stampLength is how many digits of a token tell when it was made, in seconds.
const stampLength = 8

// newToken makes an access token. It begins with the second in which it was made, so that
// tokens that are kept together are used together: with keys in no order every issuance
// would touch a page of its own on the disk. The rest nobody can guess.
func newToken(now time.Time) string {
	return fmt.Sprintf("%0*x.%s", stampLength, uint32(now.Unix()), newSecret())
}

// tokenKey is what is kept of a token: when it says that it was made, and a hash of all
// of it.
func tokenKey(token string) string {
	stamp, _, found := strings.Cut(token, ".")
	if !found || len(stamp) != stampLength || strings.Trim(stamp, "0123456789abcdef") != "" {
		return digest(token)
	}
	return stamp + digest(token)
}

// access is an access token that was found good.
type access struct {
	hash   string // tokenKey of it
	grant  string
	key    string // thumbprint of the key that it is bound to; empty of a bearer's
	wallet string // copy of the wallet
	body   granted
}

// seen collects what a check wants to be remembered, for the transaction that does
// what was asked: a proof is used up with what it was for, and with nothing else.
type seen struct {
	keys []string
	ends []time.Time
}

// Seen implements oauth.Replays.
func (r *seen) Seen(_ context.Context, key string, until time.Time) (bool, error) {
	r.keys, r.ends = append(r.keys, key), append(r.ends, until)
	return false, nil
}

// keep remembers the proofs; one that was there already refuses the request. When it
// may be forgotten follows from the time that its signer wrote into it.
func (r *seen) keep(ctx context.Context, tx *db.Tx) (refused, err error) {
	for i, k := range r.keys {
		res, err := tx.ExecContext(ctx, `INSERT INTO credential_proof (ends_at, proof) VALUES ($1, $2) ON CONFLICT (ends_at, proof) DO NOTHING`, db.Micros(r.ends[i]), digest(k))
		if err != nil {
			return nil, fmt.Errorf("remembering a proof: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return fmt.Errorf("%w: the proof was used before", oauth.InvalidDPoPProof), err
		}
	}
	return nil, nil
}

// caller is who asks at the authorization server: the client, when it proved itself,
// and the key to which tokens are bound.
type caller struct {
	client *oauth.Client
	dpop   *oauth.DPoPProof
	seen   seen
}

// caller checks the attestation and the DPoP proof of a request to an endpoint.
func (s *Credentials) caller(r *http.Request, path, clientID, copyOf string) (*caller, error) {
	ctx, now, c := r.Context(), s.Clock.Now(), &caller{}
	var err error
	if oauth.HasDPoP(r.Header) {
		c.dpop, err = oauth.VerifyDPoP(ctx, oauth.DPoPCheck{Header: r.Header, Method: r.Method, URL: s.Base + path, Algorithms: algorithms, Now: now,
			Nonce: s.nonces.Valid(oauth.ForDPoP, now), Replays: &c.seen})
		if err != nil {
			return nil, err
		}
	}
	if oauth.HasAttestation(r.Header) || s.Attested {
		c.client, err = oauth.VerifyClient(ctx, oauth.ClientCheck{Header: r.Header, Issuer: s.Base, ClientID: clientID, Thumbprint: copyOf, Algorithms: algorithms, Now: now,
			Trust: s.trustsWallet, Challenge: s.nonces.Valid(oauth.ForAttestation, now), Replays: &c.seen, DPoP: c.dpop})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// algorithms are what is accepted of strangers (HAIP 1.0 §7).
var algorithms = []string{jws.ES256}

// token answers POST /issue/token.
func (h *issuerHTTP) token(w http.ResponseWriter, r *http.Request) {
	s := h.Credentials
	w.Header().Set("Cache-Control", "no-store")
	if err := form(w, r); err != nil {
		h.oauthError(w, err)
		return
	}
	req, err := oauth.ReadToken(r.PostForm)
	if err != nil {
		h.oauthError(w, err)
		return
	}
	c, err := s.caller(r, pathToken, req.ClientID, "")
	if err != nil {
		h.oauthError(w, err)
		return
	}
	answer, err := s.grantToken(r.Context(), req, c)
	if err != nil {
		h.oauthError(w, err)
		return
	}
	h.freshNonce(w)
	writeJSON(w, http.StatusOK, answer)
}

// grantToken gives a token for a code: the code, the proof and the token are one
// transaction.
func (s *Credentials) grantToken(ctx context.Context, req *oauth.TokenRequest, c *caller) (*oauth.TokenResponse, error) {
	if c.dpop == nil && !s.Tolerant {
		return nil, fmt.Errorf("%w: tokens are bound to a key", oauth.InvalidDPoPProof)
	}
	now := s.Clock.Now()
	text := newToken(now)
	answer := &oauth.TokenResponse{AccessToken: text, TokenType: oauth.Bearer, ExpiresIn: int(bearerLife / time.Second)}
	key := ""
	if c.dpop != nil {
		answer.TokenType, answer.ExpiresIn, key = oauth.DPoPScheme, int(boundLife/time.Second), c.dpop.Thumbprint
	}
	var refused error
	err := s.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		var g *grant
		var err error
		if g, refused, err = s.redeem(ctx, tx, req, now); err != nil || refused != nil {
			return err
		}
		if refused = s.boundFits(g, c); refused != nil {
			return refused
		}
		if refused, err = c.seen.keep(ctx, tx); err != nil || refused != nil {
			return errors.Join(err, refused)
		}
		g.body.Client = req.ClientID
		if q := g.body.Request; q != nil {
			g.body.Client = q.ClientID
		}
		if c.client != nil {
			g.body.Copy, g.body.Client = c.client.Thumbprint, c.client.ID
			g.body.Wallet, err = s.walletOf(ctx, tx, c.client.Thumbprint)
			if problem.Is(err, problem.Forbidden) {
				refused = fmt.Errorf("%w: the wallet was revoked", oauth.InvalidClient)
				return refused
			}
			if err != nil {
				return err
			}
		}
		if answer.Details, err = details(req, g); err != nil {
			refused = err
			return err
		}
		body, err := json.Marshal(g.body)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credential_token (hash, grant_id, key, wallet, body, issued, ends_at) VALUES ($1, $2, $3, $4, $5, 0, $6)`,
			tokenKey(text), g.id, key, g.body.Wallet, string(body), db.Micros(now.Add(time.Duration(answer.ExpiresIn)*time.Second)))
		return err
	})
	if refused != nil {
		return nil, refused
	}
	return answer, err
}

// boundFits checks that a code that was asked for with a key, or by an attested copy
// of a wallet, is redeemed with the same.
func (s *Credentials) boundFits(g *grant, c *caller) error {
	q := g.body.Request
	if q == nil {
		return nil
	}
	if q.DPoPThumbprint != "" && (c.dpop == nil || c.dpop.Thumbprint != q.DPoPThumbprint) {
		return fmt.Errorf("%w: the code is bound to another key", oauth.InvalidGrant)
	}
	if g.body.Copy != "" && (c.client == nil || c.client.Thumbprint != g.body.Copy) {
		return fmt.Errorf("%w: the code is another client's", oauth.InvalidGrant)
	}
	return nil
}

// details answers authorization_details with the documents that the token is for
// (OpenID4VCI 1.0 §6.2), when the client asked with them.
func details(r *oauth.TokenRequest, g *grant) (json.RawMessage, error) {
	asked := r.Details
	if asked == "" && g.body.Request != nil {
		asked = g.body.Request.Details
	}
	if asked == "" {
		return nil, nil
	}
	ids, err := configurationsOf(asked)
	if err != nil {
		return nil, err
	}
	type detail struct {
		Type          string   `json:"type"`
		Configuration string   `json:"credential_configuration_id"`
		Identifiers   []string `json:"credential_identifiers"`
	}
	var out []detail
	may := append(g.body.Configurations, g.body.Types...)
	for _, id := range ids {
		if !contains(may, id) {
			return nil, fmt.Errorf("%w: %s was not granted", oauth.InvalidAuthorizationDetails, oauth.Description(id))
		}
		out = append(out, detail{"openid_credential", id, []string{identifierOf(id, g)}})
	}
	return json.Marshal(out)
}

// identifierOf names what a token fetches in a configuration: the document offered, or
// the person's newest of the type.
func identifierOf(configuration string, g *grant) string {
	if g.body.Document != "" {
		return g.body.Document + "." + configuration[strings.LastIndexByte(configuration, '.')+1:]
	}
	return configuration
}

// access checks the token of a request to one of the issuer's endpoints, and its proof
// of possession.
func (s *Credentials) access(r *http.Request, path string, used *seen) (*access, error) {
	auth, err := oauth.ParseAuthorization(r.Header)
	if err != nil {
		return nil, err
	}
	a := &access{hash: tokenKey(auth.Token)}
	var body string
	var ends int64
	err = s.DB.Reader().QueryRowContext(r.Context(), `SELECT grant_id, key, wallet, body, ends_at FROM credential_token WHERE hash = $1`, a.hash).Scan(&a.grant, &a.key, &a.wallet, &body, &ends)
	now := s.Clock.Now()
	if errors.Is(err, sql.ErrNoRows) || err == nil && !now.Before(db.Time(ends)) {
		return nil, fmt.Errorf("%w: the token is unknown or has expired", oauth.InvalidToken)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a token: %w", err)
	}
	if err := json.Unmarshal([]byte(body), &a.body); err != nil {
		return nil, fmt.Errorf("reading a token: %w", err)
	}
	if a.key == "" {
		if auth.Scheme != oauth.Bearer {
			return nil, fmt.Errorf("%w: the token is not bound to a key", oauth.InvalidToken)
		}
		return a, nil
	}
	if auth.Scheme != oauth.DPoPScheme {
		return nil, fmt.Errorf("%w: the token is bound to a key", oauth.InvalidToken)
	}
	_, err = oauth.VerifyDPoP(r.Context(), oauth.DPoPCheck{Header: r.Header, Method: r.Method, URL: s.Base + path, AccessToken: auth.Token, Thumbprint: a.key,
		Algorithms: algorithms, Now: now, Nonce: s.nonces.Valid(oauth.ForDPoP, now), Replays: used})
	return a, err
}
