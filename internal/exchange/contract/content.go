package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"diwan/protocol/xroad"
)

// Bounds of what is read from others.
const (
	MaxBytes      = 1 << 20 // of a content, as the standard recommends for properties
	maxDepth      = 16
	maxGrants     = 100
	maxOperations = 500
	maxFields     = 500
	maxText       = 2000
)

// The kinds of grants that this program makes and enforces.
const (
	Connection          = "GRANT_TYPE_SERVICE_CONNECTION"
	DelegatedConnection = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
)

const sha3Name = "HASH_ALGORITHM_SHA3_512"

// Content is what the parties sign (FSC Core, "Contracts").
type Content struct {
	IV            string   `json:"iv"` // UUID, unique for all time
	GroupID       string   `json:"group_id"`
	Validity      Validity `json:"validity"`
	Grants        []Grant  `json:"grants"`
	HashAlgorithm string   `json:"hash_algorithm"`
	CreatedAt     int64    `json:"created_at"` // seconds since 1970
}

// Validity is when a contract holds, in seconds since 1970: from NotBefore up to
// but not including NotAfter.
type Validity struct {
	NotBefore int64 `json:"not_before"`
	NotAfter  int64 `json:"not_after"`
}

// Grant is one permission.
type Grant struct {
	Data GrantData `json:"data"`
}

// GrantData says who may reach which service. Delegator is set when a member
// asks on behalf of another.
type GrantData struct {
	Type       string     `json:"type"`
	Service    Service    `json:"service"`
	Outway     Outway     `json:"outway"`
	Delegator  *Peer      `json:"delegator,omitempty"`
	Properties Properties `json:"properties"`
}

// Service is a service of a peer. The name is the subsystem and the code of the
// service with a dot between; Properties.Service has it in full.
type Service struct {
	Type   string `json:"type,omitempty"`
	PeerID string `json:"peer_id"`
	Name   string `json:"name"`
}

// Outway is who asks, bound to the key of the member and not to one certificate,
// so that a renewal leaves contracts alone.
type Outway struct {
	PeerID              string `json:"peer_id"`
	PublicKeyThumbprint string `json:"public_key_thumbprint"`
}

// Peer names a member, such as MA/GOV/JUSTICE.
type Peer struct {
	PeerID string `json:"peer_id"`
}

// Properties are what our administrations agree on beyond FSC Core, in the place
// that it leaves for extensions.
type Properties struct {
	Client         string            `json:"client"`  // subsystem that asks, CLASS and all
	Service        string            `json:"service"` // service asked, with its five parts
	Operations     []Operation       `json:"operations"`
	Fields         []string          `json:"fields,omitempty"` // of JSON answers; none means all
	Events         []string          `json:"events,omitempty"` // types that may be followed
	Purpose        map[string]string `json:"purpose"`          // by language
	LegalBasis     []string          `json:"legal_basis"`      // addresses of articles
	DataSet        string            `json:"data_set,omitempty"`
	Authorization  string            `json:"authorization_number,omitempty"` // of the data protection authority
	RetentionDays  int               `json:"retention_days,omitempty"`
	CallsPerMinute int               `json:"calls_per_minute,omitempty"` // 0 is no limit
	BytesPerDay    int64             `json:"bytes_per_day,omitempty"`    // of answers; 0 is no limit
}

// Operation is a method and a path pattern of protocol/xroad: * stands for one
// part of a path, ** for any.
type Operation struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Reasons why a content is refused, as stable codes.
var (
	ErrTooLarge = errors.New("contract.too_large")
	ErrNotIJSON = errors.New("contract.not_i_json")
	ErrUnknown  = errors.New("contract.unknown_member")
)

// FieldError says which member of a content is wrong, and how.
type FieldError struct{ Field, Code string }

func (e *FieldError) Error() string { return e.Code + ": " + e.Field }

func wrong(field, code string) error { return &FieldError{field, "contract." + code} }

// Parse reads a content and checks its form, but not the moment (see Check).
func Parse(raw []byte) (*Content, error) {
	if len(raw) > MaxBytes {
		return nil, ErrTooLarge
	}
	if err := strictJSON(raw); err != nil {
		return nil, err
	}
	var c Content
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return &c, c.validate()
}

var (
	uuidForm    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	serviceForm = regexp.MustCompile(`^[a-zA-Z0-9\-._]{1,100}$`)
	groupForm   = regexp.MustCompile(`^[a-zA-Z0-9./_-]{1,100}$`)
	thumbForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func (c *Content) validate() error {
	switch {
	case !uuidForm.MatchString(c.IV):
		return wrong("iv", "iv")
	case !groupForm.MatchString(c.GroupID):
		return wrong("group_id", "group")
	case c.HashAlgorithm != sha3Name:
		return wrong("hash_algorithm", "algorithm")
	case c.Validity.NotBefore <= 0 || c.Validity.NotAfter <= c.Validity.NotBefore:
		return wrong("validity", "validity")
	case c.CreatedAt <= 0:
		return wrong("created_at", "created_at")
	case len(c.Grants) == 0 || len(c.Grants) > maxGrants:
		return wrong("grants", "grants")
	}
	for i := range c.Grants {
		if err := c.Grants[i].Data.validate(); err != nil {
			return fmt.Errorf("grants[%d]: %w", i, err)
		}
	}
	return nil
}

func (g *GrantData) validate() error {
	if (g.Type != Connection || g.Delegator != nil) && (g.Type != DelegatedConnection || g.Delegator == nil) {
		return wrong("type", "grant_type")
	}
	service, err := xroad.ParseServiceID(g.Properties.Service)
	if err != nil || service.Registrable() != nil {
		return wrong("properties.service", "service")
	}
	client, err := xroad.ParseClientID(g.Properties.Client)
	if err != nil || client.Registrable() != nil || client.Subsystem == "" {
		return wrong("properties.client", "client")
	}
	switch {
	case g.Service.Type != "" && g.Service.Type != "SERVICE_TYPE_SERVICE":
		return wrong("service.type", "service")
	case g.Service.PeerID != service.Provider.MemberID().String() || g.Service.Name != ServiceName(service):
		return wrong("service", "service")
	case !serviceForm.MatchString(g.Service.Name):
		return wrong("service.name", "service")
	case g.Outway.PeerID != client.MemberID().String():
		return wrong("outway.peer_id", "client")
	case g.Service.PeerID == g.Outway.PeerID:
		return wrong("outway.peer_id", "same_member")
	case !thumbForm.MatchString(g.Outway.PublicKeyThumbprint):
		return wrong("outway.public_key_thumbprint", "thumbprint")
	}
	if g.Delegator != nil {
		d, err := xroad.ParseClientID(g.Delegator.PeerID)
		if err != nil || d.Subsystem != "" || d.Registrable() != nil || d.String() == g.Outway.PeerID {
			return wrong("delegator.peer_id", "delegator")
		}
	}
	return g.Properties.validate()
}

func (p *Properties) validate() error {
	if len(p.Operations) > maxOperations || len(p.Operations) == 0 && len(p.Events) == 0 {
		return wrong("properties.operations", "operations")
	}
	for _, o := range p.Operations {
		if _, err := o.rule(); err != nil {
			return wrong("properties.operations", "operations")
		}
	}
	if len(p.Fields) > maxFields || len(p.Events) > maxFields {
		return wrong("properties.fields", "fields")
	}
	for _, f := range p.Fields {
		if !validField(f) {
			return wrong("properties.fields", "fields")
		}
	}
	said := false
	for _, s := range p.Purpose {
		said = said || strings.TrimSpace(s) != ""
		if len(s) > maxText {
			return wrong("properties.purpose", "purpose")
		}
	}
	switch {
	case !said:
		return wrong("properties.purpose", "purpose")
	case len(p.LegalBasis) == 0 || len(p.LegalBasis) > 50:
		return wrong("properties.legal_basis", "legal_basis")
	case p.RetentionDays < 0 || p.CallsPerMinute < 0 || p.BytesPerDay < 0:
		return wrong("properties", "limits")
	case len(p.DataSet) > maxText || len(p.Authorization) > maxText:
		return wrong("properties", "text")
	}
	for _, a := range p.LegalBasis {
		if len(a) > maxText || !strings.HasPrefix(a, "/akn/") {
			return wrong("properties.legal_basis", "legal_basis")
		}
	}
	return nil
}

// ServiceName is the name of a service in a contract: subsystem, dot, code.
func ServiceName(s xroad.ServiceID) string { return s.Provider.Subsystem + "." + s.Code }

// Check tells whether a new contract may be made at a moment (FSC Core,
// "Contract Validation"): it was not made in the future and does not end in the
// past. Skew is how far clocks may differ.
func (c *Content) Check(now time.Time, group string, skew time.Duration) error {
	switch {
	case c.GroupID != group:
		return wrong("group_id", "group")
	case time.Unix(c.CreatedAt, 0).After(now.Add(skew)):
		return wrong("created_at", "created_at")
	case !time.Unix(c.Validity.NotAfter, 0).After(now):
		return wrong("validity.not_after", "ended")
	}
	return nil
}

// Parties are the members who must accept, each once, in the order of the grants.
func (c *Content) Parties() []string {
	var out []string
	add := func(p string) {
		for _, o := range out {
			if o == p {
				return
			}
		}
		out = append(out, p)
	}
	for _, g := range c.Grants {
		add(g.Data.Outway.PeerID)
		add(g.Data.Service.PeerID)
		if g.Data.Delegator != nil {
			add(g.Data.Delegator.PeerID)
		}
	}
	return out
}
