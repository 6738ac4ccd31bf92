package sdjwt

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/statuslist"
)

// Policy is what a recipient asks of a token.
type Policy struct {
	// Key returns the key of the issuer whom the header and the claims name, or an
	// error when the recipient doesn't accept that issuer. The claims are not yet
	// verified and may not be changed.
	Key func(h jws.Header, unverified map[string]any) (crypto.PublicKey, error)
	Now time.Time
	// Leeway is by how much clocks may differ.
	Leeway time.Duration
	// Limited refuses a credential that has neither an end nor a status (HAIP 1.0,
	// section 6.1).
	Limited bool
	// Binding says what proof of the holder's key is required; nil requires none, and
	// one that is there isn't looked at.
	Binding *Binding
	// Issued is for a holder who receives a credential: one with a key binding is
	// refused (RFC 9901, section 7.2).
	Issued bool
}

// Verified is what a verified token says.
type Verified struct {
	Header jws.Header
	// Claims are those that are seen, with the disclosures put in, as maps, slices,
	// strings, booleans, nil and [json.Number].
	Claims    map[string]any
	Type      string // vct
	Integrity string // vct#integrity
	Issuer    string // iss, empty when the certificate names it
	// Times are zero where the claim is absent.
	IssuedAt, NotBefore, Expires time.Time
	Status                       *statuslist.Reference // nil when the claim is absent
	Holder                       *jose.JSONWebKey      // cnf.jwk
	Disclosed                    []claimpath.Path      // what came by disclosures
	Binding                      *Bound                // nil unless the policy required it
}

// Verify checks the token against the policy, in this order: the issuer and the
// signature, the claims that limit it, then the holder's proof. The status is returned
// and not looked up.
func (t *Token) Verify(p Policy) (*Verified, error) {
	if p.Issued && t.binding != "" {
		return nil, ErrBound
	}
	if p.Binding != nil && t.binding == "" {
		return nil, fmt.Errorf("%w: no key binding was presented", ErrHolder)
	}
	key, err := p.Key(t.Header, t.claims)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIssuer, err)
	}
	if _, err := t.signed.Verify(key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	v, err := t.read()
	if err != nil {
		return nil, err
	}
	if err := v.timely(p); err != nil {
		return nil, err
	}
	if p.Binding != nil {
		if v.Binding, err = t.checkBinding(v.Holder, p); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (t *Token) read() (*Verified, error) {
	v := &Verified{Header: t.Header, Claims: t.claims, Disclosed: make([]claimpath.Path, len(t.Disclosures))}
	for i := range t.Disclosures {
		v.Disclosed[i] = t.Disclosures[i].Path
	}
	for name, to := range map[string]*string{"vct": &v.Type, "vct#integrity": &v.Integrity, "iss": &v.Issuer} {
		if err := text(t.claims, name, to); err != nil {
			return nil, err
		}
	}
	if strings.EqualFold(t.Header.Typ, TypeVC) && v.Type == "" {
		return nil, fmt.Errorf("%w: vct is absent", ErrForm)
	}
	for name, to := range map[string]*time.Time{"iat": &v.IssuedAt, "nbf": &v.NotBefore, "exp": &v.Expires} {
		if err := date(t.claims, name, to); err != nil {
			return nil, err
		}
	}
	if err := v.readStatus(); err != nil {
		return nil, err
	}
	return v, v.readHolder()
}

// readStatus keeps the reference to a status list. A status that is told by another
// mechanism is left to the caller, who finds it in the claims.
func (v *Verified) readStatus() error {
	claim, ok := v.Claims["status"]
	if !ok {
		return nil
	}
	r, err := statuslist.FromClaim(claim)
	switch {
	case errors.Is(err, statuslist.ErrMechanism):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	v.Status = &r
	return nil
}

func (v *Verified) readHolder() error {
	claim, ok := v.Claims["cnf"]
	if !ok {
		return nil
	}
	cnf, ok := claim.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: cnf is not an object", ErrForm)
	}
	key, ok := cnf["jwk"]
	if !ok {
		return nil
	}
	var err error
	if v.Holder, err = jws.PublicKey(key); err != nil {
		return fmt.Errorf("%w: cnf: %w", ErrForm, err)
	}
	return nil
}

func (v *Verified) timely(p Policy) error {
	if !v.NotBefore.IsZero() && p.Now.Add(p.Leeway).Before(v.NotBefore) {
		return fmt.Errorf("%w: before %s", ErrNotYet, v.NotBefore.Format(time.RFC3339))
	}
	if !v.Expires.IsZero() && !p.Now.Add(-p.Leeway).Before(v.Expires) {
		return fmt.Errorf("%w: on %s", ErrExpired, v.Expires.Format(time.RFC3339))
	}
	if _, status := v.Claims["status"]; p.Limited && v.Expires.IsZero() && !status {
		return ErrUnlimited
	}
	return nil
}

func text(claims map[string]any, name string, to *string) error {
	v, ok := claims[name]
	if !ok {
		return nil
	}
	if *to, ok = v.(string); !ok || *to == "" {
		return fmt.Errorf("%w: %s is not a text", ErrForm, name)
	}
	return nil
}

// maxDate is the end of the year 9999, in seconds.
const maxDate = 253402300799

// date reads a NumericDate (RFC 7519, section 2): seconds, perhaps with a fraction,
// which is dropped.
func date(claims map[string]any, name string, to *time.Time) error {
	v, ok := claims[name]
	if !ok {
		return nil
	}
	n, ok := v.(json.Number)
	if !ok {
		return fmt.Errorf("%w: %s is not a number", ErrForm, name)
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || f < 0 || f > maxDate {
		return fmt.Errorf("%w: %s is not a date", ErrForm, name)
	}
	*to = time.Unix(int64(math.Floor(f)), 0).UTC()
	return nil
}
