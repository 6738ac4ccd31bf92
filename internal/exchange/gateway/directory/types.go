package directory

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/exchange/contract"
	"diwan/protocol/xroad"
)

// Invitation is what a person pastes into a new gateway: where the directory is,
// who they are to become, and how to know that directory from another.
type Invitation struct {
	Directory string `json:"directory"`
	Instance  string `json:"instance"`
	Member    string `json:"member"`
	Node      string `json:"node"`
	Token     string `json:"token"`
	Key       string `json:"key"` // SHA-256 of the directory's key (PKIX), hexadecimal
}

const (
	invitationPrefix = "dxj_"
	maxInvitation    = 4096
)

// ErrInvitation says that a pasted code is not an invitation.
var ErrInvitation = errors.New("not an invitation")

// ReadInvitation reads a pasted code.
func ReadInvitation(code string) (Invitation, error) {
	var i Invitation
	if len(code) < len(invitationPrefix) || len(code) > maxInvitation || code[:len(invitationPrefix)] != invitationPrefix {
		return i, ErrInvitation
	}
	b, err := base64.RawURLEncoding.DecodeString(code[len(invitationPrefix):])
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	if err != nil {
		return i, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	m, err := xroad.ParseClientID(i.Member)
	if err != nil || m.Subsystem != "" || m.Instance != i.Instance || i.Directory == "" || i.Token == "" || i.Node == "" || len(i.Key) != 64 {
		return i, fmt.Errorf("%w: something is missing in it", ErrInvitation)
	}
	return i, nil
}

// Trust is what the directory says of itself. It is believed as far as the key
// fits the invitation.
type Trust struct {
	Instance      string   `json:"instance"`
	DirectoryKeys [][]byte `json:"directory_keys"` // PKIX
	Authorities   [][]byte `json:"authorities"`    // DER
}

// Enrolment is what a new gateway sends.
type Enrolment struct {
	Token         string   `json:"token"`
	Node          string   `json:"node"`
	Addresses     []string `json:"addresses"`
	HTTP          string   `json:"http"`
	Hosts         []string `json:"hosts"`
	TLSRequest    []byte   `json:"tls_request"`
	MemberRequest []byte   `json:"member_request"`
	LinkKey       []byte   `json:"link_key"`
	LinkProof     []byte   `json:"link_proof"`
	Log           string   `json:"log"`
	Witness       string   `json:"witness"`
}

// Admission is what it gets.
type Admission struct {
	Instance          string   `json:"instance"`
	Member            string   `json:"member"`
	Node              string   `json:"node"`
	TLSCertificate    []byte   `json:"tls_certificate"`
	MemberCertificate []byte   `json:"member_certificate"`
	Authorities       [][]byte `json:"authorities"`
	DirectoryKeys     [][]byte `json:"directory_keys"`
}

// Renewal is what a gateway sends before its certificate ends.
type Renewal struct {
	TLSRequest []byte `json:"tls_request"`
	LinkKey    []byte `json:"link_key,omitempty"`
	LinkProof  []byte `json:"link_proof,omitempty"`
}

// NodeState is what a node says of itself.
type NodeState struct {
	Addresses   []string `json:"addresses"`
	HTTP        string   `json:"http"`
	Maintenance string   `json:"maintenance"` // why it is closed for now
	// MaintenanceBy and MaintenanceSince say who closed it, and when.
	MaintenanceBy    string    `json:"maintenance_by,omitempty"`
	MaintenanceSince time.Time `json:"maintenance_since,omitzero"`
	// Log and Witness are the keys of the member's transparency log and of the
	// member as a witness; empty says nothing of them.
	Log     string `json:"log,omitempty"`
	Witness string `json:"witness,omitempty"`
}

// Offer is a service as its member describes it.
type Offer struct {
	Type           string            `json:"type"` // OPENAPI or REST
	Title          map[string]string `json:"title"`
	Classification string            `json:"classification"`
	LegalBasis     []string          `json:"legal_basis"`
	Events         []string          `json:"events"`
	Endpoints      []xroad.Endpoint  `json:"endpoints"` // of plain REST
	OpenAPI        string            `json:"openapi"`   // the file, of OPENAPI
	Maintenance    string            `json:"maintenance"`
}

// Contract is a contract as it travels.
type Contract struct {
	Hash string `json:"hash"`
	contract.Signed
}

// Sides of an exchange.
const (
	Asked    = "asked"
	Answered = "answered"
)

// Notice is one exchange about a person, without its content.
type Notice struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Side      string    `json:"side"`
	Client    string    `json:"client"`
	Service   string    `json:"service"`
	Operation string    `json:"operation"`
	Contract  string    `json:"contract"`
	Subject   string    `json:"subject"`
	Request   string    `json:"request_id"`
	Status    int       `json:"status"`
}

// Usage is what passed between a client and a service in one hour.
type Usage struct {
	Hour        time.Time `json:"hour"`
	Side        string    `json:"side"`
	Client      string    `json:"client"`
	Service     string    `json:"service"`
	Calls       int64     `json:"calls"`
	Errors      int64     `json:"errors"`
	Bytes       int64     `json:"bytes"`
	MillisTotal int64     `json:"millis_total"`
	MillisMax   int64     `json:"millis_max"`
}

// MaxReported bounds the notices or counters of one call.
const MaxReported = 500
