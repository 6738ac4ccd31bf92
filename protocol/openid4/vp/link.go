package vp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
)

// Schemes of the links that open a wallet with a request.
const (
	Scheme     = "openid4vp://"
	SchemeHAIP = "haip-vp://"
)

// Methods by which a wallet gets a request.
const (
	Get  = "get"
	Post = "post"
)

// RequestType is the media type of a request that is got by reference.
const RequestType = "application/oauth-authz-req+jwt"

const maxLink = jws.MaxBytes + 16<<10

// ErrLink is a link that can't be followed.
var ErrLink = errors.New("the link is not a request for a presentation")

// Link opens a wallet with a request, by its address or, within the link, itself.
type Link struct {
	ClientID   string
	RequestURI string
	Method     string // of getting it: "" and [Get] are the same, [Post] says more of the wallet
	Request    string // the signed request itself
	// Parameters are those of a request that is neither by reference nor signed; see
	// [OpenUnsigned].
	Parameters url.Values
}

// URL writes the link. base is a scheme such as [Scheme], or the https address of a
// wallet.
func (l Link) URL(base string) (string, error) {
	if l.ClientID == "" || (l.RequestURI == "") == (l.Request == "") {
		return "", fmt.Errorf("%w: it needs a client and one of an address and a request", ErrLink)
	}
	q := "client_id=" + url.QueryEscape(l.ClientID)
	if l.Request != "" {
		q += "&request=" + url.QueryEscape(l.Request)
	} else {
		if err := oauth.CheckURL(l.RequestURI); err != nil {
			return "", fmt.Errorf("%w: request_uri: %w", ErrLink, err)
		}
		q += "&request_uri=" + url.QueryEscape(l.RequestURI)
		if l.Method != "" {
			q += "&request_uri_method=" + url.QueryEscape(l.Method)
		}
	}
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	return base + sep + q, nil
}

// ParseLink reads a link that opened a wallet. The scheme is for whoever opened the
// link to judge; an address in it comes from a stranger, to be got with the care that
// deserves and without following redirects. Errors wrap [oauth.InvalidRequest] or
// [InvalidRequestURIMethod].
func ParseLink(s string) (*Link, error) {
	if len(s) > maxLink {
		return nil, fmt.Errorf("%w: %w: longer than %d bytes", oauth.InvalidRequest, ErrLink, maxLink)
	}
	_, query, _ := strings.Cut(s, "?")
	query, _, _ = strings.Cut(query, "#")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: malformed", oauth.InvalidRequest, ErrLink)
	}
	for name, v := range q {
		if len(v) > 1 {
			return nil, fmt.Errorf("%w: %w: %.80q is given more than once", oauth.InvalidRequest, ErrLink, name)
		}
	}
	l := &Link{ClientID: q.Get("client_id"), RequestURI: q.Get("request_uri"), Method: q.Get("request_uri_method"), Request: q.Get("request")}
	switch {
	case l.ClientID == "" || len(l.ClientID) > maxClientID:
		return nil, fmt.Errorf("%w: %w: client_id", oauth.InvalidRequest, ErrLink)
	case q.Has("request_uri_method") && l.RequestURI == "", l.Request != "" && l.RequestURI != "":
		return nil, fmt.Errorf("%w: %w: request_uri", oauth.InvalidRequest, ErrLink)
	case q.Has("request_uri_method") && l.Method != Get && l.Method != Post:
		return nil, fmt.Errorf("%w: the method is neither get nor post", InvalidRequestURIMethod)
	}
	if l.RequestURI != "" {
		if err := oauth.CheckURL(l.RequestURI); err != nil {
			return nil, fmt.Errorf("%w: %w: request_uri: %w", oauth.InvalidRequest, ErrLink, err)
		}
		return l, nil
	}
	if l.Request == "" {
		l.Parameters = q
	}
	return l, nil
}
