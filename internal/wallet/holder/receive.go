package holder

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
)

// defaultCopies is how many copies are asked for where nobody says: enough for a few
// verifiers who can't find out that they saw the same person.
const defaultCopies = 5

// maxCopies bounds what one request asks for, whatever an issuer allows.
const maxCopies = 100

// ReceiveOptions say how documents are received.
type ReceiveOptions struct {
	// TxCode is the code that came by another way than the offer.
	TxCode string
	// Copies is how many copies are asked for, within what the issuer allows; 0 means a
	// few.
	Copies int
	// Configurations limits what is received to these; none: all that is offered.
	Configurations []string
	// Format limits it to one format, [openid4.SDJWT] or [openid4.MDoc].
	Format string
	// Plain neither encrypts requests nor asks for encrypted answers, where the issuer
	// lets one choose.
	Plain bool
	// Browse has the person open an address, at which they consent, where the offer
	// carries no code. It returns at once.
	Browse func(ctx context.Context, address string) error
}

// Offer reads the offer of a link and what its issuer says of itself.
func (w *Wallet) Offer(ctx context.Context, link string) (*vci.Offer, *vci.Metadata, error) {
	o, at, err := vci.ParseLink(link)
	if err != nil {
		return nil, nil, err
	}
	if at != "" {
		a, err := w.get(ctx, "asking for the offer", at, vci.JSON)
		if err != nil {
			return nil, nil, err
		}
		if o, err = vci.ParseOffer(a.body); err != nil {
			return nil, nil, err
		}
	}
	m, err := w.describe(ctx, o.Issuer)
	return o, m, err
}

// Receive follows a link with an offer, checks what comes and keeps it. Where the issuer
// has still to sign, a document that waits is kept; see [Wallet.Fetch]. What was kept
// before an error is returned beside it.
func (w *Wallet) Receive(ctx context.Context, link string, o ReceiveOptions) ([]*Document, error) {
	offer, m, err := w.Offer(ctx, link)
	if err != nil {
		return nil, err
	}
	wanted, err := choose(offer.Configurations, m, o)
	if err != nil {
		return nil, err
	}
	if p := offer.PreAuthorized(); p != nil {
		if err := checkTxCode(p.TxCode, o.TxCode); err != nil {
			return nil, err
		}
		s, err := w.session(ctx, m, p.Server)
		if err != nil {
			return nil, err
		}
		r := oauth.TokenRequest{GrantType: oauth.GrantPreAuthorized, PreAuthorizedCode: p.Code, TxCode: o.TxCode}
		if !s.server.AnonymousPreAuthorized {
			r.ClientID = w.ClientID
		}
		if err := s.redeem(ctx, r); err != nil {
			return nil, err
		}
		return s.receive(ctx, wanted, o)
	}
	var g vci.CodeGrant
	if offer.Grants != nil && offer.Grants.Code != nil {
		g = *offer.Grants.Code
	}
	return w.consented(ctx, m, g, wanted, o)
}

// Request asks an issuer for documents without an offer: the person consents at the
// issuer, in their browser.
func (w *Wallet) Request(ctx context.Context, issuer string, o ReceiveOptions) ([]*Document, error) {
	if u, err := url.Parse(issuer); err == nil && u.Path == "/" {
		issuer = strings.TrimSuffix(issuer, "/") // as browsers write the address of a host
	}
	m, err := w.describe(ctx, issuer)
	if err != nil {
		return nil, err
	}
	if len(o.Configurations) == 0 {
		return nil, fmt.Errorf("%w: say which documents; it has %s", ErrOffer, strings.Join(configurations(m, o.Format), ", "))
	}
	wanted, err := choose(o.Configurations, m, o)
	if err != nil {
		return nil, err
	}
	return w.consented(ctx, m, vci.CodeGrant{}, wanted, o)
}

// configurations lists what an issuer has in the formats that this wallet keeps.
func configurations(m *vci.Metadata, format string) (out []string) {
	for id, c := range m.Configurations {
		if (c.Format == openid4.SDJWT || c.Format == openid4.MDoc) && (format == "" || c.Format == format) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// choose finds what of an offer is wanted and can be kept.
func choose(offered []string, m *vci.Metadata, o ReceiveOptions) ([]string, error) {
	may := configurations(m, o.Format)
	var out []string
	for _, id := range offered {
		if slices.Contains(may, id) && (len(o.Configurations) == 0 || slices.Contains(o.Configurations, id)) {
			out = append(out, id)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: it offers %s", ErrOffer, strings.Join(offered, ", "))
	}
	return out, nil
}

// checkTxCode finds out before the one try of a code is used whether it can be right.
func checkTxCode(t *vci.TxCode, given string) error {
	switch {
	case t == nil && given != "":
		return fmt.Errorf("%w: it asks for no code", ErrOffer)
	case t == nil:
		return nil
	}
	kind := "digits"
	if t.InputMode == vci.Text {
		kind = "characters"
	}
	switch {
	case given == "" && t.Length > 0:
		return fmt.Errorf("%w, of %d %s", ErrTxCode, t.Length, kind)
	case given == "":
		return ErrTxCode
	case t.Length > 0 && len([]rune(given)) != t.Length:
		return fmt.Errorf("%w: it has %d %s", ErrTxCode, t.Length, kind)
	}
	return nil
}

// receive fetches all that the token is for.
func (s *session) receive(ctx context.Context, wanted []string, o ReceiveOptions) ([]*Document, error) {
	var out []*Document
	for _, configuration := range wanted {
		names := s.identifiers(configuration)
		if len(names) == 0 {
			names = []string{""}
		}
		for _, name := range names {
			d, err := s.issue(ctx, configuration, name, o)
			if err != nil {
				return out, fmt.Errorf("%s: %w", configuration, err)
			}
			out = append(out, d)
		}
	}
	return out, nil
}
