package contract

import (
	"fmt"
	"slices"
	"time"
)

// Signed is a content with the signatures that were collected, as it travels.
type Signed struct {
	Content    []byte   `json:"content"` // exact bytes
	Signatures []string `json:"signatures"`
}

// State is where a contract stands.
type State string

// The states.
const (
	Proposed State = "proposed" // somebody has not answered yet
	Waiting  State = "waiting"  // all have accepted; it begins later
	Live     State = "live"
	Ended    State = "ended"
	Rejected State = "rejected"
	Revoked  State = "revoked"
)

// Contract is a content with the signatures that hold for it.
type Contract struct {
	Content
	Hash       string
	Raw        []byte
	Signatures []Signature
	// Failures are signatures that were given and do not hold; the contract
	// stands as if they were not there.
	Failures []error
}

// maxSignatures bounds what is checked: two by each of a few parties.
const maxSignatures = 64

// Open reads a signed contract and checks each signature. One that does not hold,
// or is by somebody who is not a party, is left out and named in Failures; the
// error is for a content that can't be read.
func Open(s Signed, who Signer) (*Contract, error) {
	c, err := Parse(s.Content)
	if err != nil {
		return nil, err
	}
	hash, err := Hash(s.Content)
	if err != nil {
		return nil, err
	}
	if len(s.Signatures) > maxSignatures {
		return nil, ErrTooLarge
	}
	out := &Contract{Content: *c, Hash: hash, Raw: s.Content}
	parties := c.Parties()
	for _, jws := range s.Signatures {
		sig, err := ReadSignature(jws, hash, who)
		if err == nil && !slices.Contains(parties, sig.Member) {
			err = fmt.Errorf("%w: %s is no party", ErrSignature, sig.Member)
		}
		if err != nil {
			out.Failures = append(out.Failures, err)
			continue
		}
		out.Signatures = append(out.Signatures, *sig)
	}
	return out, nil
}

// Has tells whether a member has signed so.
func (c *Contract) Has(member string, kind Kind) bool {
	return slices.ContainsFunc(c.Signatures, func(s Signature) bool { return s.Member == member && s.Kind == kind })
}

// Missing are the parties that have not accepted.
func (c *Contract) Missing() []string {
	var out []string
	for _, p := range c.Parties() {
		if !c.Has(p, Accept) {
			out = append(out, p)
		}
	}
	return out
}

// State tells where the contract stands at a moment. A rejection or a revocation
// is for good: to agree again takes a new contract.
func (c *Contract) State(now time.Time) State {
	said := func(k Kind) bool {
		return slices.ContainsFunc(c.Signatures, func(s Signature) bool { return s.Kind == k })
	}
	switch {
	case said(Revoke):
		return Revoked
	case said(Reject):
		return Rejected
	case now.Unix() >= c.Validity.NotAfter:
		return Ended
	case len(c.Missing()) > 0:
		return Proposed
	case now.Unix() < c.Validity.NotBefore:
		return Waiting
	}
	return Live
}
