package vp

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/strict"
)

// Bounds on an answer.
const (
	MaxResponse      = jwe.MaxBytes // of the posted form
	maxPresentations = 64           // for one question
)

// ErrResponse is an answer that can't be used, wrapped with why.
var ErrResponse = errors.New("the answer of the wallet can't be used")

// Tokens are presentations by the question that they answer (OpenID4VP 1.0 §8.1): of an
// SD-JWT VC the text, of an mdoc the DeviceResponse in base64url.
type Tokens map[string][]string

// Response is an answer: presentations, or the wallet's refusal.
type Response struct {
	Tokens Tokens
	State  string
	Err    *oauth.ErrorResponse
}

type payload struct {
	Tokens      Tokens     `json:"vp_token,omitempty"`
	State       string     `json:"state,omitempty"`
	Error       oauth.Code `json:"error,omitempty"`
	Description string     `json:"error_description,omitempty"`
}

// Answer writes the form to post with presentations, encrypted if the request asks for
// it.
func (r *Request) Answer(t Tokens) (url.Values, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if r.Mode == DirectPostJWT {
		return r.sealed(payload{Tokens: t, State: r.State})
	}
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("writing an answer: %w", err)
	}
	form := url.Values{"vp_token": {string(b)}}
	if r.State != "" {
		form.Set("state", r.State)
	}
	return form, nil
}

func (r *Request) sealed(p payload) (url.Values, error) {
	k, enc, err := r.encryption()
	if err != nil {
		return nil, fmt.Errorf("writing an answer: %w", err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("writing an answer: %w", err)
	}
	s, err := jwe.Seal(b, k, enc, "")
	if err != nil {
		return nil, fmt.Errorf("writing an answer: %w", err)
	}
	return url.Values{"response": {s}}, nil
}

// Refuse writes the form to post instead of presentations: the holder declined, or the
// request can't be answered. It says no more than the code, which must not tell what
// the holder has.
func (r *Request) Refuse(code oauth.Code) url.Values {
	if r.Mode == DirectPostJWT {
		if form, err := r.sealed(payload{Error: code, State: r.State}); err == nil {
			return form
		}
	}
	form := url.Values{"error": {string(code)}}
	if r.State != "" {
		form.Set("state", r.State)
	}
	return form
}

// Peek tells which request a posted form answers: by the name of the key that it is
// encrypted to or, in the clear, by its state. Nothing of it is proved thereby.
func Peek(form url.Values) (kid, state string, err error) {
	text, err := once(form, "response")
	if err != nil {
		return "", "", err
	}
	if text != "" {
		h, err := jwe.Peek(text)
		return h.Kid, "", err
	}
	state, err = once(form, "state")
	return "", state, err
}

// Reader reads the answer to one request.
type Reader struct {
	Mode  string   // of the request
	Key   *jwe.Key // made for the request, in [DirectPostJWT]
	State string   // of the request
}

// Read reads a posted form. A refusal may come in the clear even where presentations
// must be encrypted. Errors wrap [ErrResponse].
func (rd Reader) Read(form url.Values) (*Response, error) {
	p, err := rd.payload(form)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(p.State), []byte(rd.State)) != 1:
		return nil, fmt.Errorf("%w: state is not that of the request", ErrResponse)
	case (p.Error == "") == (p.Tokens == nil):
		return nil, fmt.Errorf("%w: want one of vp_token and error", ErrResponse)
	case p.Error != "":
		code := oauth.Code(oauth.Description(string(p.Error)))
		return &Response{State: p.State, Err: &oauth.ErrorResponse{Code: code, Description: oauth.Description(p.Description)}}, nil
	}
	if err := p.Tokens.check(); err != nil {
		return nil, err
	}
	return &Response{Tokens: p.Tokens, State: p.State}, nil
}

func (rd Reader) payload(form url.Values) (*payload, error) {
	values := map[string]string{}
	for _, name := range []string{"response", "vp_token", "state", "error", "error_description"} {
		v, err := once(form, name)
		if err != nil {
			return nil, err
		}
		if len(v) > MaxResponse {
			return nil, fmt.Errorf("%s is longer than %d bytes", name, MaxResponse)
		}
		values[name] = v
	}
	p := &payload{State: values["state"], Error: oauth.Code(values["error"]), Description: values["error_description"]}
	switch {
	case values["response"] != "":
		return rd.open(values)
	case values["vp_token"] == "":
		return p, nil
	case rd.Mode != DirectPost:
		return nil, errors.New("the presentations are not encrypted")
	}
	v, err := strict.Value([]byte(values["vp_token"]), jwe.MaxPlain)
	if err != nil {
		return nil, err
	}
	p.Tokens, err = tokens(v)
	return p, err
}

// open decrypts an answer, beside which nothing else may stand.
func (rd Reader) open(values map[string]string) (*payload, error) {
	if rd.Mode != DirectPostJWT || rd.Key == nil {
		return nil, errors.New("it is encrypted, which was not asked for")
	}
	if values["vp_token"] != "" || values["error"] != "" {
		return nil, errors.New("it is partly encrypted")
	}
	b, err := rd.Key.Open(values["response"], jwe.Allow{})
	if err != nil {
		return nil, err
	}
	m, err := strict.Object(b, jwe.MaxPlain)
	if err != nil {
		return nil, err
	}
	p := new(payload)
	code := ""
	for name, to := range map[string]*string{"state": &p.State, "error": &code, "error_description": &p.Description} {
		v, there := m[name]
		if !there {
			continue
		}
		var ok bool
		if *to, ok = v.(string); !ok {
			return nil, fmt.Errorf("%s is not a text", name)
		}
	}
	p.Error = oauth.Code(code)
	if v, there := m["vp_token"]; there {
		p.Tokens, err = tokens(v)
	}
	return p, err
}

// tokens takes presentations from decoded JSON. Names of questions differ by case, so
// that they are not read by way of a struct, where they would not.
func tokens(v any) (Tokens, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("vp_token is not an object")
	}
	t := Tokens{}
	for id, v := range m {
		list, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("vp_token has no list for %.80q", id)
		}
		for _, e := range list {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("vp_token has what is not a text for %.80q", id)
			}
			t[id] = append(t[id], s)
		}
		if len(list) == 0 {
			t[id] = nil
		}
	}
	return t, nil
}

func (t Tokens) check() error {
	if len(t) == 0 || len(t) > dcql.MaxCredentials {
		return fmt.Errorf("%w: answers to %d questions, want 1 to %d", ErrResponse, len(t), dcql.MaxCredentials)
	}
	for id, list := range t {
		if len(list) == 0 || len(list) > maxPresentations {
			return fmt.Errorf("%w: %d presentations for %.80q", ErrResponse, len(list), id)
		}
		for _, s := range list {
			if s == "" {
				return fmt.Errorf("%w: an empty presentation for %.80q", ErrResponse, id)
			}
		}
	}
	return nil
}

// Counts returns how many presentations answer each question, for
// [dcql.Query.CheckCounts].
func (t Tokens) Counts() map[string]int {
	out := make(map[string]int, len(t))
	for id, list := range t {
		out[id] = len(list)
	}
	return out
}

// Receipt is what the verifier answers to a post, with status 200 and not to be stored
// (§8.2).
type Receipt struct {
	// RedirectURI, if any, is where the holder goes on, on the wallet's device.
	RedirectURI string `json:"redirect_uri,omitempty"`
}

// NewReceipt sends the holder on to a page with a fresh code that nobody else gets: who
// opens the page with it, in the session that asked, is the one who answered.
func NewReceipt(page string) (Receipt, string, error) {
	if err := oauth.CheckURL(page); err != nil {
		return Receipt{}, "", fmt.Errorf("%w: %w", ErrResponse, err)
	}
	code := NewNonce()
	return Receipt{page + "#response_code=" + code}, code, nil
}

// ParseReceipt reads what a verifier answered to a post. The address is opened by the
// holder's browser; it must be one of the web.
func ParseReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := strict.Unmarshal(b, 64<<10, r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	if r.RedirectURI == "" {
		return r, nil
	}
	page, _, _ := strings.Cut(r.RedirectURI, "#")
	if err := oauth.CheckURL(page); err != nil {
		return nil, fmt.Errorf("%w: redirect_uri: %w", ErrResponse, err)
	}
	return r, nil
}
