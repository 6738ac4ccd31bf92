package httpsig

import (
	"fmt"
	"net/http"

	"github.com/dunglas/httpsfv"
)

// The names of the two fields.
const (
	HeaderInput     = "Signature-Input"
	HeaderSignature = "Signature"
)

// SignOptions say what a signature covers and says.
type SignOptions struct {
	Label      string // name of this signature in the message
	Components []Component
	Params     Params // KeyID is taken from the signer when empty
	// InTrailer puts the signature into the trailers of the message, for a body
	// whose digest is known only at its end.
	InTrailer bool
}

// Sign adds a signature to the message, beside others that it may carry, and
// returns the signature base that was signed.
func Sign(m *Message, s Signer, o SignOptions) ([]byte, error) {
	if len(o.Components) > MaxComponents {
		return nil, fmt.Errorf("%w: %d components", ErrMalformed, len(o.Components))
	}
	list := httpsfv.InnerList{Params: httpsfv.NewParams()}
	for _, c := range o.Components {
		if err := c.valid(); err != nil {
			return nil, err
		}
		list.Items = append(list.Items, c.item())
	}
	if o.Params.KeyID == "" {
		o.Params.KeyID = s.KeyID
	}
	o.Params.add(list.Params)
	text, err := base(m, list, o.Components)
	if err != nil {
		return nil, err
	}
	sig, err := s.sign(text)
	if err != nil {
		return nil, fmt.Errorf("signing the message: %w", err)
	}
	to := m.Header
	if o.InTrailer {
		to = m.Trailer
	}
	if err := addMember(to, HeaderInput, o.Label, list); err != nil {
		return nil, err
	}
	return text, addMember(to, HeaderSignature, o.Label, httpsfv.NewItem(sig))
}

// addMember adds a member to a dictionary field, replacing one of the same name.
func addMember(h http.Header, field, label string, v httpsfv.Member) error {
	d, err := httpsfv.UnmarshalDictionary(h.Values(field))
	if err != nil {
		return fmt.Errorf("%w: the field %s: %w", ErrMalformed, field, err)
	}
	d.Add(label, v)
	text, err := httpsfv.Marshal(d)
	if err != nil {
		return fmt.Errorf("%w: the label %q: %w", ErrMalformed, label, err)
	}
	h.Set(field, text)
	return nil
}

// SignRequest is Sign for a request about to be sent.
func SignRequest(r *http.Request, s Signer, o SignOptions) error {
	_, err := Sign(FromRequest(r), s, o)
	return err
}

// SignResponse is Sign for a response to req.
func SignResponse(resp *http.Response, req *http.Request, s Signer, o SignOptions) error {
	_, err := Sign(FromResponse(resp, req), s, o)
	return err
}
