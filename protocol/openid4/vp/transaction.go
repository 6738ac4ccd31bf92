package vp

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"

	"diwan/protocol/openid4/dcql"
	"diwan/protocol/strict"
)

// Bounds on transaction data.
const (
	maxTransactions = 16
	maxTransaction  = 32 << 10
)

// SHA256 is the name of the hash that is used where the request names none.
const SHA256 = "sha-256"

// hashes that a request may name (IANA, Named Information Hash Algorithms).
var hashes = map[string]func() hash.Hash{SHA256: sha256.New, "sha-384": sha512.New384, "sha-512": sha512.New}

// ErrTransaction means that a presentation does not approve the transaction data.
var ErrTransaction = errors.New("the transaction data was not approved")

// TransactionData is what a holder is asked to approve with a credential (OpenID4VP 1.0
// §5.1, §8.4).
type TransactionData struct {
	Raw            string // as it came: what is hashed
	Type           string
	CredentialIDs  []string // questions of the query; one of them approves
	HashAlgorithms []string // none: [SHA256]
	Members        map[string]any
}

// NewTransaction writes transaction data for a request: an object with the members
// given and those that all have.
func NewTransaction(kind string, credentialIDs []string, members map[string]any) (string, error) {
	m := map[string]any{}
	for k, v := range members {
		m[k] = v
	}
	m["type"], m["credential_ids"] = kind, credentialIDs
	b, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("writing transaction data: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// ParseTransactions reads the transaction data of a request. Each must name questions
// of the query, all of which ask for a proof of the holder's key: without it there is
// nothing to approve with. Errors wrap [InvalidTransactionData].
func ParseTransactions(list []string, q *dcql.Query) ([]TransactionData, error) {
	if len(list) == 0 || len(list) > maxTransactions {
		return nil, fmt.Errorf("%w: %d pieces, want 1 to %d", InvalidTransactionData, len(list), maxTransactions)
	}
	out := make([]TransactionData, len(list))
	for i, raw := range list {
		b, err := base64.RawURLEncoding.DecodeString(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: not base64url", InvalidTransactionData)
		}
		t := TransactionData{Raw: raw}
		if t.Members, err = strict.Object(b, maxTransaction); err != nil {
			return nil, fmt.Errorf("%w: %w", InvalidTransactionData, err)
		}
		if t.Type, _ = t.Members["type"].(string); t.Type == "" {
			return nil, fmt.Errorf("%w: type is missing", InvalidTransactionData)
		}
		ids, there, ok := texts(t.Members, "credential_ids")
		if !ok || !there {
			return nil, fmt.Errorf("%w: credential_ids", InvalidTransactionData)
		}
		for _, id := range ids {
			if c := q.Credential(id); c == nil || !c.Bound() {
				return nil, fmt.Errorf("%w: credential_ids names %.80q", InvalidTransactionData, id)
			}
		}
		t.CredentialIDs = ids
		if t.HashAlgorithms, _, ok = texts(t.Members, "transaction_data_hashes_alg"); !ok {
			return nil, fmt.Errorf("%w: transaction_data_hashes_alg", InvalidTransactionData)
		}
		out[i] = t
	}
	return out, nil
}

// texts reads a member that is a list of texts, not empty, if it is there.
func texts(m map[string]any, name string) (list []string, there, ok bool) {
	v, there := m[name]
	if !there {
		return nil, false, true
	}
	raw, ok := v.([]any)
	if !ok || len(raw) == 0 || len(raw) > maxTransactions {
		return nil, true, false
	}
	for _, e := range raw {
		s, isText := e.(string)
		if !isText {
			return nil, true, false
		}
		list = append(list, s)
	}
	return list, true, true
}

// Approval is what a key binding says of transaction data (appendix B.3.3.1).
type Approval struct {
	Hashes []string
	// Algorithm is to be named in the key binding when the request named any; else it
	// is empty.
	Algorithm string
}

// Approve computes the approval of transaction data by one credential: a hash of each
// text as it came. All must allow one algorithm that is known here.
func Approve(list []TransactionData) (Approval, error) {
	a := Approval{}
	name, err := algorithm(list)
	if err != nil {
		return a, err
	}
	for _, t := range list {
		if len(t.HashAlgorithms) > 0 {
			a.Algorithm = name
		}
		a.Hashes = append(a.Hashes, digest(name, t.Raw))
	}
	return a, nil
}

// algorithm chooses the hash that all pieces allow.
func algorithm(list []TransactionData) (string, error) {
	for _, name := range []string{SHA256, "sha-384", "sha-512"} {
		if !slices.ContainsFunc(list, func(t TransactionData) bool { return !t.allows(name) }) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: no hash that all allow", InvalidTransactionData)
}

func (t TransactionData) allows(name string) bool {
	if len(t.HashAlgorithms) == 0 {
		return name == SHA256
	}
	return slices.Contains(t.HashAlgorithms, name)
}

func digest(name, raw string) string {
	h := hashes[name]()
	h.Write([]byte(raw))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// CheckApproval tells whether a key binding, already verified, approves transaction
// data: those that this credential was to approve, each once, and no other.
func CheckApproval(list []TransactionData, a Approval) error {
	name := a.Algorithm
	if name == "" {
		name = SHA256
	}
	if hashes[name] == nil || len(a.Hashes) != len(list) {
		return fmt.Errorf("%w: %d hashes by %.80q for %d pieces", ErrTransaction, len(a.Hashes), name, len(list))
	}
	left := slices.Clone(a.Hashes)
	for _, t := range list {
		if !t.allows(name) || a.Algorithm == "" && len(t.HashAlgorithms) > 0 {
			return fmt.Errorf("%w: by another hash than was asked for", ErrTransaction)
		}
		want := []byte(digest(name, t.Raw))
		i := slices.IndexFunc(left, func(s string) bool { return subtle.ConstantTimeCompare([]byte(s), want) == 1 })
		if i < 0 {
			return fmt.Errorf("%w: another text was approved", ErrTransaction)
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}
