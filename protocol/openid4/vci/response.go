package vci

import (
	"encoding/json"
	"errors"
	"fmt"

	"diwan/protocol/strict"
)

// maxResponse bounds a response: a batch of documents with portraits.
const maxResponse = 4 << 20

// ErrResponse is a response that a wallet can't use, wrapped with why.
var ErrResponse = errors.New("the credential response can't be used")

// CredentialResponse has credentials, or the name of a transaction by which to ask
// later (§8.3). The first is answered with 200, the second with 202.
type CredentialResponse struct {
	Credentials  []Credential `json:"credentials,omitempty"`
	Notification string       `json:"notification_id,omitempty"`
	Transaction  string       `json:"transaction_id,omitempty"`
	Interval     int          `json:"interval,omitempty"` // seconds to wait before asking
}

// Credential is one copy.
type Credential struct {
	// Value is the text of an SD-JWT VC, or the IssuerSigned structure of an mdoc in
	// base64url.
	Value string `json:"credential"`
}

// Status returns the HTTP status of the response.
func (r CredentialResponse) Status() int {
	if r.Transaction != "" {
		return 202
	}
	return 200
}

// ParseResponse reads a response of the credential or deferred endpoint, of at most so
// many credentials as keys were proved.
func ParseResponse(b []byte, keys int) (*CredentialResponse, error) {
	r := new(CredentialResponse)
	if err := strict.Unmarshal(b, maxResponse, r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	switch {
	case (len(r.Credentials) == 0) == (r.Transaction == ""):
		return nil, fmt.Errorf("%w: want either credentials or a transaction_id", ErrResponse)
	case r.Transaction != "" && r.Interval <= 0:
		return nil, fmt.Errorf("%w: interval is missing", ErrResponse)
	case r.Transaction != "" && r.Notification != "", r.Transaction == "" && r.Interval != 0:
		return nil, fmt.Errorf("%w: notification_id or interval where it may not be", ErrResponse)
	case len(r.Credentials) > max(1, keys):
		return nil, fmt.Errorf("%w: %d credentials for %d keys", ErrResponse, len(r.Credentials), keys)
	case len(r.Transaction) > maxName || len(r.Notification) > maxName:
		return nil, fmt.Errorf("%w: a name is too long", ErrResponse)
	}
	for _, c := range r.Credentials {
		if c.Value == "" {
			return nil, fmt.Errorf("%w: an empty credential", ErrResponse)
		}
	}
	return r, nil
}

// NonceResponse answers the nonce endpoint (§7.2), not to be stored.
type NonceResponse struct {
	Nonce string `json:"c_nonce"`
}

// ParseNonce reads the answer of a nonce endpoint.
func ParseNonce(b []byte) (string, error) {
	var r NonceResponse
	if err := strict.Unmarshal(b, 8<<10, &r); err != nil {
		return "", fmt.Errorf("reading a nonce: %w", err)
	}
	if r.Nonce == "" || len(r.Nonce) > maxName {
		return "", errors.New("reading a nonce: it is missing or too long")
	}
	return r.Nonce, nil
}

// Body writes a response, encrypted if the request asked for it, and its media type.
func (r CredentialResponse) Body(to *ResponseKey) (body []byte, mediaType string, err error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, "", fmt.Errorf("writing a credential response: %w", err)
	}
	return seal(b, to)
}
