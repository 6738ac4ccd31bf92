package vci

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/strict"
)

// Types of proofs of keys that are known here.
const (
	ProofJWT         = "jwt"
	ProofAttestation = "attestation"
)

// Bounds on requests.
const (
	MaxRequest = 512 << 10
	maxName    = 1024
	maxBatch   = 256
)

// CredentialRequest asks for credentials of one kind, one for each key that it proves
// (OpenID4VCI 1.0 §8.2). It has exactly one of Identifier and Configuration.
type CredentialRequest struct {
	Identifier    string       `json:"credential_identifier,omitempty"`
	Configuration string       `json:"credential_configuration_id,omitempty"`
	Proofs        *Proofs      `json:"proofs,omitempty"`
	Encryption    *ResponseKey `json:"credential_response_encryption,omitempty"`
}

// Proofs are proofs of keys, all of one type.
type Proofs struct {
	Type   string
	Values []string
}

// MarshalJSON writes the object with the type as its one member.
func (p Proofs) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]string{p.Type: p.Values})
}

// UnmarshalJSON reads it.
func (p *Proofs) UnmarshalJSON(b []byte) error {
	var m map[string][]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if len(m) != 1 {
		return fmt.Errorf("%w: proofs of %d types, want one", InvalidProof, len(m))
	}
	for t, list := range m {
		if t != ProofJWT && t != ProofAttestation {
			return fmt.Errorf("%w: the proof type %.80q is not supported", InvalidProof, t)
		}
		if len(list) == 0 || len(list) > maxBatch {
			return fmt.Errorf("%w: %d proofs", InvalidProof, len(list))
		}
		if t == ProofAttestation && len(list) != 1 {
			return fmt.Errorf("%w: %d attestations, want one", InvalidProof, len(list))
		}
		*p = Proofs{Type: t}
		for _, raw := range list {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil || s == "" {
				return fmt.Errorf("%w: a proof is not a text", InvalidProof)
			}
			p.Values = append(p.Values, s)
		}
	}
	return nil
}

// ResponseKey is the key to encrypt the response to, and how.
type ResponseKey struct {
	JWK *jose.JSONWebKey
	Enc string
	Zip string
}

type responseKey struct {
	JWK any    `json:"jwk"`
	Enc string `json:"enc"`
	Zip string `json:"zip,omitempty"`
}

// MarshalJSON writes the public key.
func (k ResponseKey) MarshalJSON() ([]byte, error) {
	pub := k.JWK.Public()
	return json.Marshal(responseKey{&pub, k.Enc, k.Zip})
}

// UnmarshalJSON reads a key that messages can be encrypted to.
func (k *ResponseKey) UnmarshalJSON(b []byte) error {
	var raw responseKey
	if err := json.Unmarshal(b, &raw); err != nil {
		return fmt.Errorf("%w: %w", InvalidEncryption, err)
	}
	key, err := jws.PublicKey(raw.JWK)
	if err == nil {
		err = jwe.Check(key)
	}
	if err != nil {
		return fmt.Errorf("%w: jwk: %w", InvalidEncryption, err)
	}
	if !slices.Contains(jwe.Encryptions(), raw.Enc) || raw.Zip != "" && raw.Zip != jwe.Deflate {
		return fmt.Errorf("%w: enc or zip is not supported", InvalidEncryption)
	}
	*k = ResponseKey{key, raw.Enc, raw.Zip}
	return nil
}

// RequestCheck is what the form of a request is checked against.
type RequestCheck struct {
	// Encrypted says that the request came encrypted: only then may it name a key for
	// the response, which somebody on the way could otherwise replace by his own.
	Encrypted bool
	// ResponseRequired refuses requests that name no key for the response.
	ResponseRequired bool
	// BatchSize is the most proofs that may come; 0 means one.
	BatchSize int
	Zip       bool // responses can be compressed; zip_values_supported says so
}

// ParseRequest reads a credential request. Errors wrap the code to answer.
func ParseRequest(b []byte, c RequestCheck) (*CredentialRequest, error) {
	r := new(CredentialRequest)
	if err := strict.Unmarshal(b, MaxRequest, r); err != nil {
		return nil, coded(err)
	}
	switch {
	case (r.Identifier == "") == (r.Configuration == ""):
		return nil, fmt.Errorf("%w: want one of credential_identifier and credential_configuration_id", InvalidCredentialRequest)
	case len(r.Identifier) > maxName || len(r.Configuration) > maxName:
		return nil, fmt.Errorf("%w: the name is too long", InvalidCredentialRequest)
	}
	if r.Proofs != nil && len(r.Proofs.Values) > max(1, c.BatchSize) {
		return nil, fmt.Errorf("%w: more proofs than batch_size", InvalidProof)
	}
	if err := c.encryption(r.Encryption); err != nil {
		return nil, err
	}
	return r, nil
}

// encryption checks whether a response may and must be encrypted.
func (c RequestCheck) encryption(k *ResponseKey) error {
	switch {
	case k != nil && !c.Encrypted:
		return fmt.Errorf("%w: the key for the response came in an unencrypted request", InvalidEncryption)
	case k == nil && c.ResponseRequired:
		return fmt.Errorf("%w: the response must be encrypted, and no key is given", InvalidEncryption)
	case k != nil && k.Zip != "" && !c.Zip:
		return fmt.Errorf("%w: responses are not compressed", InvalidEncryption)
	}
	return nil
}

// coded gives what can't be read the code of a malformed request, unless it has one.
func coded(err error) error {
	if oauth.CodeOf(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", InvalidCredentialRequest, err)
}

// DeferredRequest asks again for what could not be issued at once (§9.1).
type DeferredRequest struct {
	Transaction string       `json:"transaction_id"`
	Encryption  *ResponseKey `json:"credential_response_encryption,omitempty"`
}

// ParseDeferred reads a deferred request. Errors wrap the code to answer.
func ParseDeferred(b []byte, c RequestCheck) (*DeferredRequest, error) {
	r := new(DeferredRequest)
	if err := strict.Unmarshal(b, MaxRequest, r); err != nil {
		return nil, coded(err)
	}
	if r.Transaction == "" || len(r.Transaction) > maxName {
		return nil, fmt.Errorf("%w: transaction_id is missing or too long", InvalidTransaction)
	}
	if err := c.encryption(r.Encryption); err != nil {
		return nil, err
	}
	return r, nil
}

// Events of a notification.
const (
	Accepted = "credential_accepted"
	Failure  = "credential_failure"
	Deleted  = "credential_deleted"
)

// Notification tells the issuer what became of credentials (§11.1). The same one may
// come several times.
type Notification struct {
	ID          string `json:"notification_id"`
	Event       string `json:"event"`
	Description string `json:"event_description,omitempty"`
}

// ParseNotification reads a notification. Errors wrap the code to answer.
func ParseNotification(b []byte) (*Notification, error) {
	n := new(Notification)
	if err := strict.Unmarshal(b, 8<<10, n); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidNotificationRequest, err)
	}
	switch {
	case n.ID == "" || len(n.ID) > maxName:
		return nil, fmt.Errorf("%w: notification_id is missing or too long", InvalidNotificationRequest)
	case n.Event != Accepted && n.Event != Failure && n.Event != Deleted:
		return nil, fmt.Errorf("%w: the event is not known", InvalidNotificationRequest)
	case len(n.Description) > maxName:
		return nil, fmt.Errorf("%w: event_description is too long", InvalidNotificationRequest)
	}
	n.Description = oauth.Description(n.Description)
	return n, nil
}

// DetailType is the type of authorization details about credentials.
const DetailType = "openid_credential"

// AuthorizationDetail asks for leave to get one kind of credential; in the answer of
// the token endpoint it lists what can be had (§5.1.1, §6.2).
type AuthorizationDetail struct {
	Type          string        `json:"type"`
	Configuration string        `json:"credential_configuration_id"`
	Locations     []string      `json:"locations,omitempty"`
	Claims        []DetailClaim `json:"claims,omitempty"`
	Identifiers   []string      `json:"credential_identifiers,omitempty"`
}

// DetailClaim is a claim that is asked for (appendix B.1).
type DetailClaim struct {
	Path      claimpath.Path `json:"path"`
	Mandatory bool           `json:"mandatory,omitempty"`
}

// ParseDetails reads the authorization details of a request or of an answer: those
// about credentials, others are left out. With location, which is needed where the
// metadata lists authorization servers, each must name that issuer. Errors wrap
// [oauth.InvalidAuthorizationDetails].
func ParseDetails(b []byte, location string) ([]AuthorizationDetail, error) {
	var list []AuthorizationDetail
	if err := strict.Unmarshal(b, 64<<10, &list); err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidAuthorizationDetails, err)
	}
	if len(list) == 0 || len(list) > maxOffered {
		return nil, fmt.Errorf("%w: %d details", oauth.InvalidAuthorizationDetails, len(list))
	}
	var out []AuthorizationDetail
	for _, d := range list {
		if d.Type != DetailType {
			continue
		}
		if d.Configuration == "" || len(d.Configuration) > maxName {
			return nil, fmt.Errorf("%w: credential_configuration_id", oauth.InvalidAuthorizationDetails)
		}
		if location != "" && !slices.Contains(d.Locations, location) {
			return nil, fmt.Errorf("%w: locations does not name this issuer", oauth.InvalidAuthorizationDetails)
		}
		out = append(out, d)
	}
	return out, nil
}
