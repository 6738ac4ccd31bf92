package exchange

import (
	"time"

	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/protocol/xroad"
)

// Settings are what the country says of its exchange.
type Settings struct {
	Instance string        `json:"instance"` // code of the country's exchange
	Classes  []MemberClass `json:"classes"`
	// ValidHours is how long gateways may go on with a directory that they can't
	// renew.
	ValidHours int `json:"valid_hours"`
	// StampPolicy is the object identifier of the rules by which the exchange gives
	// time stamps; without one it gives none. StampName is the authority's name.
	StampPolicy string `json:"stamp_policy"`
	StampName   string `json:"stamp_name"`
}

// MemberClass is a class of members, such as GOV.
type MemberClass struct {
	Code string   `json:"code"`
	Name gov.Text `json:"name"`
}

// Member is an administration that takes part.
type Member struct {
	ID             string
	Administration string // in the catalogue, or ""
	Name           gov.Text
	Contact        string // how its people are reached; shown to officers only
	LogKey         string
	WitnessKey     string
	Suspended      time.Time // zero: it takes part
	Created        time.Time
	Nodes          []Node
	Keys           []Key
	Subsystems     []Subsystem
	Services       []Service
}

// Node is one gateway of a member.
type Node struct {
	Member, Name, HTTP         string
	Maintenance, MaintenanceBy string
	Addresses, Hosts           []string
	Seen, Created              time.Time
	MaintenanceSince           time.Time
}

// Kinds of keys.
const (
	KeyLink   = "link"   // signs messages; PKIX of an Ed25519 key
	KeyTLS    = "tls"    // certificate of a node's TLS
	KeyMember = "member" // certificate that signs contracts
)

// Key is a key or a certificate that was brought in.
type Key struct {
	SHA256, Member, Node, Kind string
	DER                        []byte
	NotBefore, NotAfter        time.Time
	Revoked                    time.Time
	Reason                     string
}

// Subsystem is an information system of a member.
type Subsystem struct {
	ID, Member, Code string
	Name             gov.Text
}

// Service is what a subsystem offers.
type Service struct {
	ID, Member, Subsystem, Code, Kind string
	Title                             gov.Text
	Endpoints                         []xroad.Endpoint
	Classification                    string
	LegalBasis, Events                []string
	Description                       string // SHA-256 of the OpenAPI file
	Maintenance                       string
	Updated                           time.Time
}

// Classifications of data, from what anybody may know to what the law guards
// most.
var Classifications = []string{"public", "internal", "personal", "sensitive"}

// part is what gateways are told of a member. Keys that ended long ago are left
// out, but for certificates that signed contracts.
func (m *Member) part(now time.Time) *snapshot.Member {
	p := &snapshot.Member{ID: m.ID, Name: names(m.Name), Log: m.LogKey, Witness: m.WitnessKey}
	for _, n := range m.Nodes {
		node := snapshot.Node{Name: n.Name, Addresses: n.Addresses, HTTP: n.HTTP}
		for _, k := range m.Keys {
			switch {
			case k.Node != n.Name || !k.Revoked.IsZero() || k.NotAfter.Before(now.Add(-keptAfterEnd)):
			case k.Kind == KeyLink:
				node.Keys = append(node.Keys, snapshot.Key{Public: k.DER, NotBefore: k.NotBefore, NotAfter: k.NotAfter})
			case k.Kind == KeyTLS:
				node.TLS = append(node.TLS, snapshot.Pin{SHA256: k.SHA256, NotAfter: k.NotAfter})
			}
		}
		p.Nodes = append(p.Nodes, node)
	}
	for _, k := range m.Keys {
		if k.Kind == KeyMember && k.Revoked.IsZero() {
			p.Certificates = append(p.Certificates, k.DER)
		}
	}
	for _, s := range m.Subsystems {
		sub := snapshot.Subsystem{Code: s.Code, Name: names(s.Name)}
		for _, v := range m.Services {
			if v.Subsystem == s.Code {
				sub.Services = append(sub.Services, snapshot.Service{Code: v.Code, Type: v.Kind, Title: names(v.Title), Endpoints: v.Endpoints,
					Classification: v.Classification, LegalBasis: v.LegalBasis, Events: v.Events, Description: v.Description, Maintenance: v.Maintenance})
			}
		}
		p.Subsystems = append(p.Subsystems, sub)
	}
	return p
}

// keptAfterEnd is how long a link key stays in the directory after its end, so
// that records of its last days can still be checked from the directory alone.
const keptAfterEnd = 90 * 24 * time.Hour

func names(t gov.Text) map[string]string {
	out := make(map[string]string, len(t))
	for l, s := range t {
		out[string(l)] = s
	}
	return out
}

func textOf(m map[string]string) gov.Text {
	out := make(gov.Text, len(m))
	for l, s := range m {
		out[gov.Lang(l)] = s
	}
	return out
}
