package vci

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"diwan/protocol/oauth"
	"diwan/protocol/strict"
)

// Schemes of the links that open a wallet with an offer.
const (
	OfferScheme     = "openid-credential-offer://"
	OfferSchemeHAIP = "haip-vci://"
)

// Bounds on an offer.
const (
	maxOffer       = 64 << 10
	maxOffered     = 64
	maxCode        = 2048
	maxDescription = 300 // characters (OpenID4VCI 1.0 §4.1.1)
	maxCodeLength  = 64
)

// ErrOffer is an offer that breaks a rule, wrapped with which.
var ErrOffer = errors.New("the credential offer can't be used")

// Offer is an issuer's offer of credentials (OpenID4VCI 1.0 §4.1.1). A wallet knows it
// from a stranger: who the issuer is and whether to trust it is found out from the
// issuer's own metadata.
type Offer struct {
	Issuer         string   `json:"credential_issuer"`
	Configurations []string `json:"credential_configuration_ids"`
	// Grants is nil when the offer names none, and the wallet chooses by the metadata.
	Grants *Grants `json:"grants,omitempty"`
}

// Grants are the ways to a token that an offer opens. Both nil is as good as no grants.
type Grants struct {
	Code          *CodeGrant          `json:"authorization_code,omitempty"`
	PreAuthorized *PreAuthorizedGrant `json:"urn:ietf:params:oauth:grant-type:pre-authorized_code,omitempty"`
}

// CodeGrant leads through the authorization endpoint.
type CodeGrant struct {
	IssuerState string `json:"issuer_state,omitempty"`
	Server      string `json:"authorization_server,omitempty"`
}

// PreAuthorizedGrant brings a code with it.
type PreAuthorizedGrant struct {
	Code string `json:"pre-authorized_code"`
	// TxCode is not nil when the holder must enter a code got by another way, even
	// when nothing is said of what it looks like.
	TxCode *TxCode `json:"tx_code,omitempty"`
	Server string  `json:"authorization_server,omitempty"`
}

// TxCode describes the code to enter.
type TxCode struct {
	InputMode   string `json:"input_mode,omitempty"` // [Numeric] when empty, or [Text]
	Length      int    `json:"length,omitempty"`     // 0: not said
	Description string `json:"description,omitempty"`
}

// Input modes of a transaction code.
const (
	Numeric = "numeric"
	Text    = "text"
)

// UnmarshalJSON takes a tx_code that is no object for an error: whether a code is asked
// for may not be in doubt.
func (g *PreAuthorizedGrant) UnmarshalJSON(b []byte) error {
	var raw struct {
		Code   string          `json:"pre-authorized_code"`
		TxCode json.RawMessage `json:"tx_code"`
		Server string          `json:"authorization_server"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*g = PreAuthorizedGrant{Code: raw.Code, Server: raw.Server}
	if raw.TxCode == nil {
		return nil
	}
	if string(raw.TxCode) == "null" {
		return errors.New("tx_code is null")
	}
	g.TxCode = new(TxCode)
	return json.Unmarshal(raw.TxCode, g.TxCode)
}

// ParseOffer reads an offer.
func ParseOffer(b []byte) (*Offer, error) {
	o := new(Offer)
	if err := strict.Unmarshal(b, maxOffer, o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOffer, err)
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	return o, nil
}

// Check tells whether the offer follows the rules.
func (o *Offer) Check() error {
	if err := oauth.CheckIssuer(o.Issuer); err != nil {
		return fmt.Errorf("%w: credential_issuer: %w", ErrOffer, err)
	}
	if n := len(o.Configurations); n == 0 || n > maxOffered {
		return fmt.Errorf("%w: %d configurations, want 1 to %d", ErrOffer, n, maxOffered)
	}
	for i, c := range o.Configurations {
		if c == "" || len(c) > maxCode || slices.Contains(o.Configurations[:i], c) {
			return fmt.Errorf("%w: a configuration is empty, too long or stands twice", ErrOffer)
		}
	}
	if o.Grants == nil {
		return nil
	}
	if g := o.Grants.Code; g != nil && (len(g.IssuerState) > maxCode || len(g.Server) > maxCode) {
		return fmt.Errorf("%w: authorization_code: too long", ErrOffer)
	}
	g := o.Grants.PreAuthorized
	if g == nil {
		return nil
	}
	if g.Code == "" || len(g.Code) > maxCode || len(g.Server) > maxCode {
		return fmt.Errorf("%w: pre-authorized_code is missing or too long", ErrOffer)
	}
	if t := g.TxCode; t != nil {
		switch {
		case t.InputMode != "" && t.InputMode != Numeric && t.InputMode != Text:
			return fmt.Errorf("%w: tx_code: input_mode", ErrOffer)
		case t.Length < 0 || t.Length > maxCodeLength:
			return fmt.Errorf("%w: tx_code: length", ErrOffer)
		case utf8.RuneCountInString(t.Description) > maxDescription:
			return fmt.Errorf("%w: tx_code: the description has more than %d characters", ErrOffer, maxDescription)
		}
	}
	return nil
}

// PreAuthorized returns the grant that brings a code, or nil.
func (o *Offer) PreAuthorized() *PreAuthorizedGrant {
	if o.Grants == nil {
		return nil
	}
	return o.Grants.PreAuthorized
}

// Link returns the link that carries the offer itself. base is a scheme such as
// [OfferScheme], or the https address of a wallet.
func (o *Offer) Link(base string) (string, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("writing an offer: %w", err)
	}
	return link(base, "credential_offer", string(b)), nil
}

// LinkTo returns the link that carries the https address of an offer: short enough for
// a QR code.
func LinkTo(base, address string) (string, error) {
	if err := oauth.CheckURL(address); err != nil {
		return "", fmt.Errorf("%w: %w", ErrOffer, err)
	}
	return link(base, "credential_offer_uri", address), nil
}

func link(base, name, value string) string {
	sep := "?"
	if strings.Contains(base, "?") {
		sep = "&"
	}
	return base + sep + name + "=" + url.QueryEscape(value)
}

// ParseLink reads a link: it returns the offer that it carries, or the address to get
// one from by GET. It has one of the two, never both. The scheme is for whoever opened
// the link to judge.
func ParseLink(s string) (*Offer, string, error) {
	if len(s) > 2*maxOffer {
		return nil, "", fmt.Errorf("%w: the link is longer than %d bytes", ErrOffer, 2*maxOffer)
	}
	_, query, found := strings.Cut(s, "?")
	if !found {
		return nil, "", fmt.Errorf("%w: the link carries nothing", ErrOffer)
	}
	query, _, _ = strings.Cut(query, "#")
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, "", fmt.Errorf("%w: the link is malformed", ErrOffer)
	}
	value, ref := q["credential_offer"], q["credential_offer_uri"]
	if len(value)+len(ref) != 1 {
		return nil, "", fmt.Errorf("%w: the link carries not one of credential_offer and credential_offer_uri", ErrOffer)
	}
	if len(value) == 1 {
		o, err := ParseOffer([]byte(value[0]))
		return o, "", err
	}
	if err := oauth.CheckURL(ref[0]); err != nil {
		return nil, "", fmt.Errorf("%w: credential_offer_uri: %w", ErrOffer, err)
	}
	return nil, ref[0], nil
}
