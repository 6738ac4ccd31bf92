package snapshot

import (
	"errors"
	"fmt"
	"time"

	"diwan/protocol/xroad"
)

// Index is what the directory signs.
type Index struct {
	Version    int       `json:"version"` // of this format: 1
	Instance   string    `json:"instance"`
	Serial     int64     `json:"serial"` // grows with every change
	IssuedAt   time.Time `json:"issued_at"`
	ValidUntil time.Time `json:"valid_until"`
	// Authorities are the certificates (DER) of the exchange's own authority; TLS
	// between gateways trusts these and no others.
	Authorities [][]byte `json:"authorities"`
	// DirectoryKeys are the public keys (PKIX) that may sign the next index: the
	// present one and, before a change of keys, the next.
	DirectoryKeys [][]byte `json:"directory_keys"`
	// StampAuthorities are certificates (DER) whose time stamps are believed.
	StampAuthorities [][]byte          `json:"stamp_authorities,omitempty"`
	Members          map[string]string `json:"members"` // identifier to hash of the part
	// Revoked are the hashes of what is trusted no more before its time: of
	// Revoked is what is trusted no more before its time.
	Revoked []Revocation `json:"revoked,omitempty"`
}

// Revocation ends the trust in one certificate or key. The hash is, in
// hexadecimal, of the DER of a certificate that signs contracts, or of the public
// key (PKIX) of a link key or of a TLS certificate.
type Revocation struct {
	SHA256 string    `json:"sha256"`
	At     time.Time `json:"at"`
}

// Member is a part: what is known of one administration.
type Member struct {
	ID   string            `json:"id"` // INSTANCE/CLASS/CODE
	Name map[string]string `json:"name"`
	// Certificates (DER) of the member's own key, which signs contracts; former
	// ones stay, for what they signed while they were valid.
	Certificates [][]byte    `json:"certificates,omitempty"`
	Nodes        []Node      `json:"nodes,omitempty"`
	Subsystems   []Subsystem `json:"subsystems,omitempty"`
	// Log is the public key of the member's transparency log in the form of a
	// signed note's verifier; Witness, when it witnesses the logs of others.
	Log     string `json:"log,omitempty"`
	Witness string `json:"witness,omitempty"`
}

// Node is one gateway process of a member.
type Node struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"` // host:port of the link
	// HTTP is the base address of the second profile, for partners that sign HTTP
	// messages; empty when the node has none.
	HTTP string `json:"http,omitempty"`
	Keys []Key  `json:"keys"` // that sign messages
	TLS  []Pin  `json:"tls"`  // keys of its certificates
}

// Key is a public key that signs messages of a node.
type Key struct {
	Public    []byte    `json:"public"` // PKIX
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

// Pin is the SHA-256 of the public key (PKIX) of a certificate, in hexadecimal.
type Pin struct {
	SHA256   string    `json:"sha256"`
	NotAfter time.Time `json:"not_after"`
}

// Subsystem is an information system of a member.
type Subsystem struct {
	Code     string            `json:"code"`
	Name     map[string]string `json:"name,omitempty"`
	Services []Service         `json:"services,omitempty"`
}

// Service is what a subsystem offers.
type Service struct {
	Code      string            `json:"code"`
	Type      string            `json:"type"` // OPENAPI or REST
	Title     map[string]string `json:"title,omitempty"`
	Endpoints []xroad.Endpoint  `json:"endpoints,omitempty"`
	// Classification of the data: public, internal, personal or sensitive.
	Classification string   `json:"classification,omitempty"`
	LegalBasis     []string `json:"legal_basis,omitempty"` // addresses of articles
	Events         []string `json:"events,omitempty"`      // types it publishes
	Description    string   `json:"description,omitempty"` // SHA-256 of the OpenAPI file
	Maintenance    string   `json:"maintenance,omitempty"` // why it is closed for now
}

// Bounds of what is read.
const (
	MaxIndex      = 8 << 20
	MaxPart       = 2 << 20
	maxMembers    = 20_000
	maxNodes      = 64
	maxKeys       = 32
	maxSubsystems = 500
	maxServices   = 2000
)

// ErrPart says that a part breaks a rule; what it says is not used.
var ErrPart = errors.New("exchange.part")

// Validate checks a part that stands under an identifier.
func (m *Member) Validate(id string) error {
	c, err := xroad.ParseClientID(m.ID)
	switch {
	case m.ID != id || err != nil || c.Subsystem != "":
		return fmt.Errorf("%w: %q stands under %q", ErrPart, m.ID, id)
	case len(m.Nodes) > maxNodes || len(m.Certificates) > maxKeys || len(m.Subsystems) > maxSubsystems:
		return fmt.Errorf("%w: too many of something in %s", ErrPart, id)
	}
	services := 0
	for _, n := range m.Nodes {
		if len(n.Keys) > maxKeys || len(n.TLS) > maxKeys || len(n.Addresses) > maxKeys {
			return fmt.Errorf("%w: too many keys in %s", ErrPart, id)
		}
	}
	for _, s := range m.Subsystems {
		services += len(s.Services)
	}
	if services > maxServices {
		return fmt.Errorf("%w: too many services in %s", ErrPart, id)
	}
	return nil
}
