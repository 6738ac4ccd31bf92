package sdjwt

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// TypeBinding is the type of a key binding.
const TypeBinding = "kb+jwt"

const (
	defaultMaxAge  = 5 * time.Minute
	maxBinding     = 64 << 10
	maxTransaction = 64
)

// Binding is what a verifier asks of the holder's proof (RFC 9901, section 7.3).
type Binding struct {
	Audience string // the verifier, as the protocol writes it
	Nonce    string // of the verifier's request
	// MaxAge is how long ago the proof may have been made; 0 is five minutes. The
	// policy's leeway comes on top, and bounds how far in the future it may lie.
	MaxAge time.Duration
	// Algorithms that are accepted; none is ES256.
	Algorithms []string
	// Transactions are the texts of transaction_data, as they were sent, that the
	// proof must confirm, all and no others (OpenID4VP 1.0, annex B.3.3).
	Transactions []string
	// TransactionHashes are the hashes that the request named; none is sha-256, which
	// the proof then needn't name.
	TransactionHashes []string
}

// Bound is what a verified proof of the holder says.
type Bound struct {
	Audience, Nonce string
	IssuedAt        time.Time
	Transactions    []string       // hashes in base64url
	Claims          map[string]any // all
}

func (t *Token) checkBinding(holder *jose.JSONWebKey, p Policy) (*Bound, error) {
	if holder == nil {
		return nil, fmt.Errorf("%w: the credential names no key", ErrHolder)
	}
	// Wrapped by text alone, so that it isn't mistaken for an error of the issuer's.
	refused := func(err error) error { return fmt.Errorf("%w: %v", ErrHolder, err) }
	if len(t.binding) > maxBinding {
		return nil, refused(errors.New("the proof is too large"))
	}
	signed, err := jws.Parse(t.binding, defaults(jws.Want{Types: []string{TypeBinding}, Algorithms: p.Binding.Algorithms}, TypeBinding))
	if err != nil {
		return nil, refused(err)
	}
	payload, err := signed.Verify(holder.Key)
	if err != nil {
		return nil, refused(err)
	}
	claims, err := strict.Object(payload, maxBinding)
	if err != nil {
		return nil, refused(err)
	}
	b := &Bound{Claims: claims}
	if claims["sd_hash"] != digest(t.hash, t.sd()) {
		return nil, refused(errors.New("sd_hash is of another presentation"))
	}
	return b, b.check(claims, p)
}

func (b *Bound) check(claims map[string]any, p Policy) error {
	var ok bool
	if b.Audience, ok = claims["aud"].(string); !ok || b.Audience != p.Binding.Audience || b.Audience == "" {
		return fmt.Errorf("%w: audience %.200q", ErrAudience, claims["aud"])
	}
	if b.Nonce, ok = claims["nonce"].(string); !ok || b.Nonce != p.Binding.Nonce || b.Nonce == "" {
		return ErrNonce
	}
	if err := b.timely(claims, p); err != nil {
		return err
	}
	return b.confirms(claims, p.Binding)
}

func (b *Bound) timely(claims map[string]any, p Policy) error {
	var notBefore, expires time.Time
	for name, to := range map[string]*time.Time{"iat": &b.IssuedAt, "nbf": &notBefore, "exp": &expires} {
		if err := date(claims, name, to); err != nil {
			return fmt.Errorf("%w: %v", ErrHolder, err)
		}
	}
	if b.IssuedAt.IsZero() {
		return fmt.Errorf("%w: iat is absent", ErrHolder)
	}
	age := p.Binding.MaxAge
	if age == 0 {
		age = defaultMaxAge
	}
	if p.Now.Sub(b.IssuedAt) > age+p.Leeway || b.IssuedAt.Sub(p.Now) > p.Leeway {
		return fmt.Errorf("%w: made on %s", ErrStale, b.IssuedAt.Format(time.RFC3339))
	}
	if !expires.IsZero() && !p.Now.Add(-p.Leeway).Before(expires) || p.Now.Add(p.Leeway).Before(notBefore) {
		return fmt.Errorf("%w: outside the dates that it gives itself", ErrStale)
	}
	return nil
}

// confirms checks that the proof hashes the transactions that were asked, in any
// order, and nothing else: a holder who confirmed another transaction did not confirm
// this one.
func (b *Bound) confirms(claims map[string]any, want *Binding) error {
	given, has := claims["transaction_data_hashes"]
	if !has && len(want.Transactions) == 0 {
		return nil
	}
	list, _ := given.([]any)
	if len(list) != len(want.Transactions) || len(list) > maxTransaction {
		return fmt.Errorf("%w: %d confirmed, %d asked", ErrTransaction, len(list), len(want.Transactions))
	}
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("%w: a hash is not a text", ErrTransaction)
		}
		b.Transactions = append(b.Transactions, s)
	}
	h, err := transactionHash(claims["transaction_data_hashes_alg"], want.TransactionHashes)
	if err != nil {
		return err
	}
	expected := transactionDigests(h, want.Transactions)
	got := slices.Clone(b.Transactions)
	slices.Sort(expected)
	slices.Sort(got)
	if !slices.Equal(expected, got) {
		return fmt.Errorf("%w: another transaction is confirmed", ErrTransaction)
	}
	return nil
}

func transactionHash(given any, allowed []string) (crypto.Hash, error) {
	name, ok := given.(string)
	if given != nil && !ok || given == nil && len(allowed) > 0 {
		return 0, fmt.Errorf("%w: the hash is not named", ErrTransaction)
	}
	if len(allowed) == 0 {
		allowed = []string{"", SHA256}
	}
	h, err := hashOf(name)
	if err != nil || !slices.Contains(allowed, name) {
		return 0, fmt.Errorf("%w: hash %.40q", ErrTransaction, name)
	}
	return h, nil
}

func transactionDigests(h crypto.Hash, texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = digest(h, s)
	}
	return out
}

// Proof is what a holder signs.
type Proof struct {
	Audience, Nonce string
	IssuedAt        time.Time
	// Transactions are the texts of transaction_data, as they were received, that the
	// holder confirms.
	Transactions []string
	// TransactionHash is one of the hashes that the request named, empty when it named
	// none.
	TransactionHash string
}

// Bind returns the token, as SD-JWT+KB, with the holder's proof. The key must be the
// one that the credential names.
func (t *Token) Bind(key crypto.Signer, p Proof) (string, error) {
	v := &Verified{Claims: t.claims}
	if err := v.readHolder(); err != nil {
		return "", err
	}
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if v.Holder == nil || !ok || !pub.Equal(v.Holder.Key) {
		return "", fmt.Errorf("%w: the key is not the one that the credential names", ErrHolder)
	}
	claims := map[string]any{
		"aud": p.Audience, "nonce": p.Nonce, "iat": p.IssuedAt.Unix(), "sd_hash": digest(t.hash, t.sd()),
	}
	if len(p.Transactions) > 0 {
		h, err := hashOf(p.TransactionHash)
		if err != nil {
			return "", err
		}
		claims["transaction_data_hashes"] = transactionDigests(h, p.Transactions)
		if p.TransactionHash != "" {
			claims["transaction_data_hashes_alg"] = p.TransactionHash
		}
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("binding: %w", err)
	}
	proof, err := jws.Sign(key, jws.Header{Typ: TypeBinding}, b)
	if err != nil {
		return "", fmt.Errorf("binding: %w", err)
	}
	return t.sd() + proof, nil
}
