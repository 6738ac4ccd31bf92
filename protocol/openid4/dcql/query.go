// Package dcql reads, answers and checks queries of the Digital Credentials Query
// Language (OpenID4VP 1.0 §6): with which a verifier says what it wants to see.
//
// A wallet applies [Query.Evaluate] to what it holds, and learns for each credential
// that is asked for which of its own could be shown and the fewest claims to disclose.
// A verifier applies [Query.CheckOne] and [Query.CheckSet] to what it was shown and
// verified: that a wallet was asked for something is no proof that it sent it.
package dcql

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
	"diwan/protocol/strict"
)

// Bounds on a query.
const (
	MaxBytes       = 64 << 10
	MaxCredentials = 32
	MaxClaims      = 128 // of one credential
	MaxSets        = 32  // claim sets, credential sets, options of one
	MaxValues      = 64
	maxID          = 64
	maxText        = 1024
)

// ErrQuery is a query that breaks a rule, wrapped with which.
var ErrQuery = errors.New("the query is malformed")

// Query asks for credentials.
type Query struct {
	Credentials    []Credential `json:"credentials"`
	CredentialSets []Set        `json:"credential_sets,omitempty"`
}

// Credential asks for one credential, or for all that match.
type Credential struct {
	ID       string `json:"id"`
	Format   string `json:"format"`
	Multiple bool   `json:"multiple,omitempty"`
	Meta     Meta   `json:"meta"`
	// Authorities limits who certified the issuer, to spare the holder from showing
	// what would be refused anyway.
	Authorities []Authority `json:"trusted_authorities,omitempty"`
	// HolderBinding is missing or true when the holder must prove to be the one whom
	// the credential was given to; see [Credential.Bound].
	HolderBinding *bool `json:"require_cryptographic_holder_binding,omitempty"`
	// Claims are those to disclose. Without them, nothing that can be hidden is asked.
	Claims []Claim `json:"claims,omitempty"`
	// ClaimSets lists alternatives by the names of claims, the preferred one first.
	ClaimSets [][]string `json:"claim_sets,omitempty"`
}

// Bound tells whether a proof of the holder's key is asked for.
func (c Credential) Bound() bool { return c.HolderBinding == nil || *c.HolderBinding }

// Meta limits the type of a credential. Members of formats not known here are kept out.
type Meta struct {
	VCT     []string `json:"vct_values,omitempty"`    // of dc+sd-jwt
	Doctype string   `json:"doctype_value,omitempty"` // of mso_mdoc
}

// Kinds of [Authority].
const (
	AuthorityKey = "aki" // base64url of the authority key identifier of a certificate
	TrustedList  = "etsi_tl"
	Federation   = "openid_federation"
)

// Authority names who certifies issuers.
type Authority struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// Claim asks for a claim. In an mdoc the path is namespace and element.
type Claim struct {
	ID   string         `json:"id,omitempty"`
	Path claimpath.Path `json:"path"`
	// Values are strings, booleans or integers, the last as [json.Number] when read.
	Values []any `json:"values,omitempty"`
	// Retain says that the verifier means to keep the claim (mdoc).
	Retain *bool `json:"intent_to_retain,omitempty"`
}

// Set asks for one of several groups of credentials.
type Set struct {
	Options [][]string `json:"options"`
	Must    *bool      `json:"required,omitempty"` // see [Set.Required]
}

// Required tells whether one of the options must be answered: unless the query says
// that it need not.
func (s Set) Required() bool { return s.Must == nil || *s.Must }

// Parse reads a query and checks it.
func Parse(b []byte) (*Query, error) {
	q := new(Query)
	if err := strict.Unmarshal(b, MaxBytes, q); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	return q, nil
}

// UnmarshalJSON keeps integers as they were written: two that differ in the last of
// twenty digits are not the same value.
func (c *Claim) UnmarshalJSON(b []byte) error {
	var raw struct {
		ID     string            `json:"id"`
		Path   claimpath.Path    `json:"path"`
		Values []json.RawMessage `json:"values"`
		Retain *bool             `json:"intent_to_retain"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*c = Claim{ID: raw.ID, Path: raw.Path, Retain: raw.Retain}
	if raw.Values != nil {
		c.Values = make([]any, 0, len(raw.Values))
	}
	for _, r := range raw.Values {
		v, err := strict.Value(r, MaxBytes)
		if err != nil {
			return err
		}
		c.Values = append(c.Values, v)
	}
	return nil
}

// Credential returns the question of that name, or nil.
func (q *Query) Credential(id string) *Credential {
	for i := range q.Credentials {
		if q.Credentials[i].ID == id {
			return &q.Credentials[i]
		}
	}
	return nil
}

// Check tells whether the query follows the rules. [Parse] has done so.
func (q *Query) Check() error {
	if n := len(q.Credentials); n == 0 || n > MaxCredentials {
		return fmt.Errorf("%w: it asks for %d credentials, want 1 to %d", ErrQuery, n, MaxCredentials)
	}
	ids := map[string]bool{}
	for _, c := range q.Credentials {
		if err := unique(ids, c.ID); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	if q.CredentialSets != nil && (len(q.CredentialSets) == 0 || len(q.CredentialSets) > MaxSets) {
		return fmt.Errorf("%w: %d credential_sets", ErrQuery, len(q.CredentialSets))
	}
	for _, s := range q.CredentialSets {
		if err := groups(s.Options, ids); err != nil {
			return fmt.Errorf("options: %w", err)
		}
	}
	return nil
}

// unique adds a name to those that are taken.
func unique(taken map[string]bool, id string) error {
	if !isID(id) {
		return fmt.Errorf("%w: the id %.80q", ErrQuery, id)
	}
	if taken[id] {
		return fmt.Errorf("%w: the id %s stands twice", ErrQuery, id)
	}
	taken[id] = true
	return nil
}

// groups checks lists of names that must all exist.
func groups(list [][]string, names map[string]bool) error {
	if len(list) == 0 || len(list) > MaxSets {
		return fmt.Errorf("%w: %d alternatives, want 1 to %d", ErrQuery, len(list), MaxSets)
	}
	for _, group := range list {
		if len(group) == 0 || len(group) > len(names) {
			return fmt.Errorf("%w: an alternative of %d", ErrQuery, len(group))
		}
		for _, id := range group {
			if !names[id] {
				return fmt.Errorf("%w: nothing is called %.80q", ErrQuery, id)
			}
		}
	}
	return nil
}

func (c Credential) check() error {
	if c.Format == "" || len(c.Format) > maxID {
		return fmt.Errorf("%w: format", ErrQuery)
	}
	if err := c.checkMeta(); err != nil {
		return err
	}
	if c.Authorities != nil && (len(c.Authorities) == 0 || len(c.Authorities) > MaxSets) {
		return fmt.Errorf("%w: %d trusted_authorities", ErrQuery, len(c.Authorities))
	}
	for _, a := range c.Authorities {
		if a.Type == "" || !texts(a.Values) {
			return fmt.Errorf("%w: a trusted authority", ErrQuery)
		}
		for _, v := range a.Values {
			if _, err := base64.RawURLEncoding.DecodeString(v); a.Type == AuthorityKey && err != nil {
				return fmt.Errorf("%w: aki: %w", ErrQuery, err)
			}
		}
	}
	return c.checkClaims()
}

// texts tells whether a list has entries, each of them something.
func texts(list []string) bool {
	for _, s := range list {
		if s == "" || len(s) > maxText {
			return false
		}
	}
	return len(list) > 0 && len(list) <= MaxValues
}

func (c Credential) checkMeta() error {
	switch c.Format {
	case openid4.SDJWT:
		if !texts(c.Meta.VCT) {
			return fmt.Errorf("%w: vct_values", ErrQuery)
		}
	case openid4.MDoc:
		if c.Meta.Doctype == "" || len(c.Meta.Doctype) > maxText {
			return fmt.Errorf("%w: doctype_value", ErrQuery)
		}
	}
	return nil
}

func (c Credential) checkClaims() error {
	if c.Claims != nil && (len(c.Claims) == 0 || len(c.Claims) > MaxClaims) {
		return fmt.Errorf("%w: %d claims, want 1 to %d", ErrQuery, len(c.Claims), MaxClaims)
	}
	ids := map[string]bool{}
	for _, claim := range c.Claims {
		if claim.ID != "" || c.ClaimSets != nil {
			if err := unique(ids, claim.ID); err != nil {
				return fmt.Errorf("claims: %w", err)
			}
		}
		if err := claim.check(c.Format); err != nil {
			return err
		}
	}
	if c.ClaimSets == nil {
		return nil
	}
	if c.Claims == nil {
		return fmt.Errorf("%w: claim_sets without claims", ErrQuery)
	}
	if err := groups(c.ClaimSets, ids); err != nil {
		return fmt.Errorf("claim_sets: %w", err)
	}
	return nil
}

func (c Claim) check(format string) error {
	if err := c.Path.Valid(); err != nil {
		return fmt.Errorf("%w: %w", ErrQuery, err)
	}
	if format == openid4.MDoc {
		_, first := c.Path[0].(string)
		if len(c.Path) != 2 || !first {
			return fmt.Errorf("%w: the path %s is not namespace and element", ErrQuery, c.Path)
		}
		if _, second := c.Path[1].(string); !second {
			return fmt.Errorf("%w: the path %s is not namespace and element", ErrQuery, c.Path)
		}
	}
	if c.Values != nil && (len(c.Values) == 0 || len(c.Values) > MaxValues) {
		return fmt.Errorf("%w: %d values", ErrQuery, len(c.Values))
	}
	for _, v := range c.Values {
		if _, isBool := v.(bool); isBool {
			continue
		}
		if s, isString := v.(string); isString && len(s) <= maxText {
			continue
		}
		if integer(v) == nil {
			return fmt.Errorf("%w: a value is a string, an integer or a boolean", ErrQuery)
		}
	}
	return nil
}

func isID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

// maxDigits bounds an integer that is compared: no identifier of a person or thing is
// longer.
const maxDigits = 64

// integer returns the whole number that a decoded value is, or nil.
func integer(v any) *big.Int {
	switch n := v.(type) {
	case json.Number:
		if len(n) <= maxDigits {
			if i, ok := new(big.Int).SetString(string(n), 10); ok {
				return i
			}
		}
	case int:
		return big.NewInt(int64(n))
	case int64:
		return big.NewInt(n)
	case uint64:
		return new(big.Int).SetUint64(n)
	case float64:
		if n == float64(int64(n)) && n < 1<<53 && n > -1<<53 {
			return big.NewInt(int64(n))
		}
	}
	return nil
}

// equal tells whether a claim has a value, kind and content both.
func equal(claim, want any) bool {
	switch w := want.(type) {
	case string:
		c, ok := claim.(string)
		return ok && c == w
	case bool:
		c, ok := claim.(bool)
		return ok && c == w
	}
	a, b := integer(claim), integer(want)
	return a != nil && b != nil && a.Cmp(b) == 0
}
