package vci

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"

	"diwan/protocol/openid4/jwe"
)

// Media types of messages (§10).
const (
	JSON = "application/json"
	JWT  = "application/jwt" // encrypted
)

// seal encrypts a message to a key, or leaves it as JSON without one.
func seal(b []byte, to *ResponseKey) ([]byte, string, error) {
	if to == nil {
		return b, JSON, nil
	}
	s, err := jwe.Seal(b, to.JWK, to.Enc, to.Zip)
	return []byte(s), JWT, err
}

// Body writes a request, a [CredentialRequest] or [DeferredRequest], encrypted if the
// issuer takes encrypted requests, and its media type. It is an error for a request to
// name a key for its response and not be encrypted.
func (m *Metadata) Body(request any) (body []byte, mediaType string, err error) {
	b, err := json.Marshal(request)
	if err != nil {
		return nil, "", fmt.Errorf("writing a request: %w", err)
	}
	e := m.RequestEncryption
	if e == nil && asks(request) {
		return nil, "", fmt.Errorf("writing a request: %w: the issuer takes no encrypted requests, so none can name a key", InvalidEncryption)
	}
	if e == nil {
		return b, JSON, nil
	}
	key, err := e.JWKS.Choose()
	if err != nil {
		return nil, "", fmt.Errorf("writing a request: %w", err)
	}
	enc, err := jwe.Select(e.Enc)
	if err != nil {
		return nil, "", fmt.Errorf("writing a request: %w", err)
	}
	return seal(b, &ResponseKey{JWK: key, Enc: enc})
}

// asks tells whether a request names a key for its response.
func asks(request any) bool {
	switch r := request.(type) {
	case CredentialRequest:
		return r.Encryption != nil
	case *CredentialRequest:
		return r.Encryption != nil
	case DeferredRequest:
		return r.Encryption != nil
	case *DeferredRequest:
		return r.Encryption != nil
	}
	return false
}

// OpenResponse returns a response's JSON. What was to be encrypted to a key and is not
// is refused; key is nil when nothing was asked to be.
func OpenResponse(body []byte, mediaType string, key *jwe.Key) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(mediaType)
	switch {
	case err == nil && kind == JSON && key == nil:
		return body, nil
	case err == nil && kind == JWT && key != nil:
		return key.Open(string(body), jwe.Allow{})
	}
	return nil, fmt.Errorf("%w: the media type is not the one that was asked for", ErrResponse)
}

// Opener opens requests at an issuer.
type Opener struct {
	Keys     []*jwe.Key // those published, and retired ones while metadata is cached
	Required bool       // refuse requests that are not encrypted
	Zip      bool       // accept compressed requests; zip_values_supported says so
}

// Open returns the JSON of a request, and whether it came encrypted. Errors wrap the
// code to answer.
func (o Opener) Open(body []byte, mediaType string) (plain []byte, encrypted bool, err error) {
	kind, _, err := mime.ParseMediaType(mediaType)
	switch {
	case err == nil && kind == JSON && !o.Required:
		return body, false, nil
	case err == nil && kind == JSON:
		return nil, false, fmt.Errorf("%w: the request must be encrypted", InvalidEncryption)
	case err != nil || kind != JWT:
		return nil, false, fmt.Errorf("%w: the media type is neither of JSON nor of an encrypted request", InvalidCredentialRequest)
	}
	h, err := jwe.Peek(string(body))
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", InvalidEncryption, err)
	}
	i := slices.IndexFunc(o.Keys, func(k *jwe.Key) bool { return k.ID == h.Kid })
	if i < 0 {
		return nil, false, fmt.Errorf("%w: no key is called so", InvalidEncryption)
	}
	plain, err = o.Keys[i].Open(string(body), jwe.Allow{Zip: o.Zip})
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", InvalidEncryption, err)
	}
	return plain, true, nil
}
