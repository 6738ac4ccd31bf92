package snapshot

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"diwan/protocol/xroad"
)

// View is the directory made ready for the questions a gateway asks with each
// message. It never changes; a newer one takes its place.
type View struct {
	Index   *Index
	Members map[string]*Member

	Authorities *x509.CertPool
	keys        map[[8]byte]SigningKey
	pins        map[string]NodeRef
	services    map[string]*Service
	subsystems  map[string]*Subsystem
	signers     map[string]signerCert
}

// SigningKey is a key that signs messages, and whose it is.
type SigningKey struct {
	Member, Node        string
	Public              crypto.PublicKey
	NotBefore, NotAfter time.Time
}

// NodeRef names a node.
type NodeRef struct {
	Member, Node string
	NotAfter     time.Time
}

type signerCert struct {
	member string
	cert   *x509.Certificate
}

// KeyID names a signing key on the link: the first eight bytes of the SHA-256 of
// its PKIX form.
func KeyID(pkix []byte) (id [8]byte) {
	sum := sha256.Sum256(pkix)
	copy(id[:], sum[:])
	return id
}

// NewView makes a view of an index and its parts. Two members that claim one key
// are an error: a message could be laid at the wrong door.
func NewView(x *Index, members map[string]*Member) (*View, error) {
	v := &View{Index: x, Members: members, Authorities: x509.NewCertPool(), keys: map[[8]byte]SigningKey{}, pins: map[string]NodeRef{},
		services: map[string]*Service{}, subsystems: map[string]*Subsystem{}, signers: map[string]signerCert{}}
	var roots []*x509.Certificate
	for _, der := range x.Authorities {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: an authority: %w", ErrIndex, err)
		}
		v.Authorities.AddCert(c)
		roots = append(roots, c)
	}
	revoked := map[string]bool{}
	for _, r := range x.Revoked {
		revoked[r.SHA256] = true
	}
	for id, m := range members {
		if err := v.add(id, m, roots, revoked); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *View) add(id string, m *Member, roots []*x509.Certificate, revoked map[string]bool) error {
	for i := range m.Nodes {
		n := &m.Nodes[i]
		for _, k := range n.Keys {
			if revoked[hexSum(k.Public)] {
				continue
			}
			pub, err := x509.ParsePKIXPublicKey(k.Public)
			if err != nil {
				return fmt.Errorf("%w: a key of %s: %w", ErrPart, id, err)
			}
			name := KeyID(k.Public)
			if other, ok := v.keys[name]; ok && (other.Member != id || other.Node != n.Name) {
				return fmt.Errorf("%w: %s and %s claim one key", ErrPart, id, other.Member)
			}
			v.keys[name] = SigningKey{id, n.Name, pub, k.NotBefore, k.NotAfter}
		}
		for _, p := range n.TLS {
			if revoked[p.SHA256] {
				continue
			}
			if other, ok := v.pins[p.SHA256]; ok && (other.Member != id || other.Node != n.Name) {
				return fmt.Errorf("%w: %s and %s claim one certificate", ErrPart, id, other.Member)
			}
			v.pins[p.SHA256] = NodeRef{id, n.Name, p.NotAfter}
		}
	}
	for _, der := range m.Certificates {
		if revoked[hexSum(der)] {
			continue
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%w: a certificate of %s: %w", ErrPart, id, err)
		}
		if !issuedBy(c, roots) || c.Subject.SerialNumber != id {
			return fmt.Errorf("%w: a certificate of %s is not from the exchange's authority", ErrPart, id)
		}
		sum := sha256.Sum256(der)
		v.signers[base64.RawURLEncoding.EncodeToString(sum[:])] = signerCert{id, c}
	}
	for i := range m.Subsystems {
		s := &m.Subsystems[i]
		name := id + "/" + s.Code
		v.subsystems[name] = s
		for k := range s.Services {
			v.services[name+"/"+s.Services[k].Code] = &s.Services[k]
		}
	}
	return nil
}

func issuedBy(c *x509.Certificate, roots []*x509.Certificate) bool {
	for _, r := range roots {
		if c.CheckSignatureFrom(r) == nil {
			return true
		}
	}
	return false
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Key returns the key with an identifier. Whether it is valid at a moment is for
// the caller, who knows the moment.
func (v *View) Key(id [8]byte) (SigningKey, bool) {
	k, ok := v.keys[id]
	return k, ok
}

// NodeOf tells whose certificate a TLS peer showed: its key must be pinned, for a
// certificate from the right authority alone could be anybody's.
func (v *View) NodeOf(cert *x509.Certificate) (NodeRef, bool) {
	n, ok := v.pins[hexSum(cert.RawSubjectPublicKeyInfo)]
	return n, ok
}

// Signer tells whose certificate has a thumbprint (base64url SHA-256), for
// contracts.
func (v *View) Signer(thumbprint string) (member string, cert *x509.Certificate, ok bool) {
	s, ok := v.signers[thumbprint]
	return s.member, s.cert, ok
}

// KeyPrints are the thumbprints (hexadecimal SHA-256) of a member's own keys, to
// which contracts are bound.
func (v *View) KeyPrints(member string) []string {
	var out []string
	for _, s := range v.signers {
		if s.member == member {
			out = append(out, hexSum(s.cert.RawSubjectPublicKeyInfo))
		}
	}
	slices.Sort(out)
	return out
}

// Service returns a service by its identifier.
func (v *View) Service(id xroad.ServiceID) (*Service, bool) {
	s, ok := v.services[id.String()]
	return s, ok
}

// Subsystem returns a subsystem by its identifier.
func (v *View) Subsystem(id xroad.ClientID) (*Subsystem, bool) {
	s, ok := v.subsystems[id.String()]
	return s, ok
}

// HasService tells whether a service is offered, by its identifier as text.
func (v *View) HasService(id string) bool { return v.services[id] != nil }

// HasSubsystem tells whether there is a subsystem, by its identifier as text.
func (v *View) HasSubsystem(id string) bool { return v.subsystems[id] != nil }

// Clients lists members and subsystems, in order, as listClients answers.
func (v *View) Clients(lang string) []xroad.Client {
	var out []xroad.Client
	for _, id := range slices.Sorted(maps.Keys(v.Members)) {
		m := v.Members[id]
		c, err := xroad.ParseClientID(id)
		if err != nil {
			continue // Validate let none through
		}
		name := pick(m.Name, lang)
		out = append(out, xroad.Client{ID: c, Name: name})
		for _, s := range m.Subsystems {
			sub := c
			sub.Subsystem = s.Code
			out = append(out, xroad.Client{ID: sub, Name: name, SubsystemName: pick(s.Name, lang)})
		}
	}
	return out
}

func pick(names map[string]string, lang string) string {
	if n := names[lang]; n != "" {
		return n
	}
	langs := slices.Sorted(maps.Keys(names))
	if len(langs) == 0 {
		return ""
	}
	return names[langs[0]]
}
