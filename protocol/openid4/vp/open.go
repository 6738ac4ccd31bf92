package vp

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/strict"
)

// Check is what a wallet checks a request against.
type Check struct {
	Link        Link     // that led to it
	WalletNonce string   // that was posted to get it, if any
	Audiences   []string // empty: [Static]
	Algorithms  []string // empty: ES256
	// Prefixes of client identifiers that are supported; empty: [X509Hash] and
	// [X509SANDNS].
	Prefixes []string
	Now      time.Time
	// Trust finds the key of a request from its header, for the full client
	// identifier: it checks the certificates against anchors, or knows the clients
	// that are registered. That the certificate proves the identifier is checked here;
	// that a registered client may be answered at an address is not.
	Trust oauth.Trust
	// Formats of credentials that the wallet can show; empty: both known ones.
	Formats []string
	// Transaction checks one piece of transaction data whose type is supported. Nil:
	// none is, and requests with any are refused.
	Transaction func(TransactionData) error
}

const skew = time.Minute

// OpenRequest reads a signed request, got by its address or from the link. Errors wrap
// the code to answer. When the request is returned beside an error, its verifier was
// proved and the error can be posted to it (see [Request.Refuse]); without one it is
// unknown who asks, and nobody is answered.
func OpenRequest(compact string, c Check) (*Request, error) {
	id, err := ParseClientID(c.Link.ClientID, c.prefixes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	if id.Prefix == RedirectURI {
		return nil, fmt.Errorf("%w: a request by an address alone can't be signed", oauth.InvalidRequest)
	}
	tok, err := jws.Parse(compact, jws.Want{Types: []string{requestType}, Algorithms: c.algorithms()})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	b, err := c.verified(tok, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	w, err := decode(b)
	if err != nil {
		return nil, err
	}
	if err := c.addressed(w); err != nil {
		return nil, err
	}
	if id.Prefix == X509Hash || id.Prefix == X509SANDNS {
		if err := id.Proved(tok.Header.X5C[0], w.ResponseURI); err != nil {
			return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
		}
	}
	r, err := w.read()
	if err != nil {
		return r, err
	}
	return r, c.supported(r)
}

// verified returns what the verifier signed.
func (c Check) verified(tok *jws.Token, id ClientID) ([]byte, error) {
	switch id.Prefix {
	case X509Hash, X509SANDNS:
		if err := openid4.CheckChain(tok.Header.X5C); err != nil {
			return nil, err
		}
	case Registered:
	default:
		return nil, fmt.Errorf("%w: the prefix %q", ErrClient, id.Prefix)
	}
	if c.Trust == nil {
		return nil, fmt.Errorf("%w: nobody is trusted", ErrClient)
	}
	key, err := c.Trust(tok.Header, id.Full)
	if err != nil {
		return nil, err
	}
	return tok.Verify(key)
}

// addressed checks that the request is that of the link, for this wallet, now.
func (c Check) addressed(w *wire) error {
	audiences := c.Audiences
	if len(audiences) == 0 {
		audiences = []string{Static}
	}
	switch {
	case w.ClientID != c.Link.ClientID:
		return fmt.Errorf("%w: client_id is not that of the link", oauth.InvalidRequest)
	case !slices.ContainsFunc(audiences, w.Audience.Is):
		return fmt.Errorf("%w: aud", oauth.InvalidRequest)
	case c.WalletNonce != "" && w.WalletNonce != c.WalletNonce:
		return fmt.Errorf("%w: wallet_nonce is not the one that was sent", oauth.InvalidRequest)
	case w.Issued.After(c.Now.Add(skew)):
		return fmt.Errorf("%w: iat is to come", oauth.InvalidRequest)
	case !w.Expires.IsZero() && !c.Now.Before(w.Expires.Time):
		return fmt.Errorf("%w: the request has expired", oauth.InvalidRequest)
	}
	return nil
}

// supported checks that the wallet can do what is asked.
func (c Check) supported(r *Request) error {
	formats := c.Formats
	if len(formats) == 0 {
		formats = []string{openid4.SDJWT, openid4.MDoc}
	}
	some := false
	for _, q := range r.Query.Credentials {
		some = some || slices.Contains(formats, q.Format)
	}
	if !some {
		return fmt.Errorf("%w: none of the formats", FormatsNotSupported)
	}
	if r.Transactions == nil {
		return nil
	}
	if c.Transaction == nil {
		return fmt.Errorf("%w: transaction data is not supported", InvalidTransactionData)
	}
	list, err := ParseTransactions(r.Transactions, r.Query)
	if err != nil {
		return err
	}
	for _, t := range list {
		if err := c.Transaction(t); err != nil {
			return fmt.Errorf("%w: type %.80q: %w", InvalidTransactionData, t.Type, err)
		}
	}
	return nil
}

func (c Check) prefixes() []string {
	if len(c.Prefixes) == 0 {
		return []string{X509Hash, X509SANDNS}
	}
	return c.Prefixes
}

func (c Check) algorithms() []string {
	if len(c.Algorithms) == 0 {
		return []string{jws.ES256}
	}
	return c.Algorithms
}

// OpenUnsigned reads a request that stands in the link itself and that nobody signed:
// its verifier is the address that is answered, and nothing more is known of it. The
// prefix [RedirectURI] must be among those supported, which it is not by default.
func OpenUnsigned(c Check) (*Request, error) {
	id, err := ParseClientID(c.Link.ClientID, c.prefixes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	if id.Prefix != RedirectURI || c.Link.Parameters == nil {
		return nil, fmt.Errorf("%w: the request must be signed", oauth.InvalidRequest)
	}
	w, err := unsigned(c.Link.Parameters)
	if err != nil {
		return nil, err
	}
	if w.ResponseURI == "" {
		w.ResponseURI = id.Name
	}
	if w.ResponseURI != id.Name {
		return nil, fmt.Errorf("%w: response_uri is not the address that names the verifier", oauth.InvalidRequest)
	}
	r, err := w.read()
	if err != nil {
		return r, err
	}
	return r, c.supported(r)
}

// unsigned takes the members of a request from parameters, where objects are JSON.
func unsigned(q url.Values) (*wire, error) {
	w := &wire{
		ClientID: q.Get("client_id"), ResponseType: q.Get("response_type"), Mode: q.Get("response_mode"),
		ResponseURI: q.Get("response_uri"), Nonce: q.Get("nonce"), State: q.Get("state"),
	}
	if v := q.Get("redirect_uri"); q.Has("redirect_uri") {
		w.RedirectURI = &v
	}
	if v := q.Get("scope"); q.Has("scope") {
		w.Scope = &v
	}
	if q.Has("dcql_query") {
		w.Query = json.RawMessage(q.Get("dcql_query"))
	}
	for name, to := range map[string]any{"client_metadata": &w.Metadata, "transaction_data": &w.Transactions, "verifier_info": &w.Info} {
		if !q.Has(name) {
			continue
		}
		if err := strict.Unmarshal([]byte(q.Get(name)), jws.MaxBytes, to); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", oauth.InvalidRequest, name, err)
		}
	}
	return w, nil
}
