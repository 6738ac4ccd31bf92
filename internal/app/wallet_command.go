package app

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"diwan/internal/credential"
	"diwan/internal/wallet/holder"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
)

// What the command line uses of a wallet.
type (
	// Wallet is a holder of documents.
	Wallet = holder.Wallet
	// WalletReceive says how documents are received.
	WalletReceive = holder.ReceiveOptions
	// WalletPresent narrows what may be shown.
	WalletPresent = holder.PresentOptions
	// WalletPlan is what would be shown to a verifier.
	WalletPlan = holder.Plan
	// WalletHeld is a document with its keys; [ShowDocument] makes of it what may be
	// printed.
	WalletHeld = holder.Document
)

// ErrWalletWaiting means that a document is not issued yet.
var ErrWalletWaiting = holder.ErrWaiting

// Formats of documents by the short names of the command line.
var walletFormats = map[string]string{"": "", "sd-jwt": openid4.SDJWT, "mdoc": openid4.MDoc, openid4.SDJWT: openid4.SDJWT, openid4.MDoc: openid4.MDoc}

// WalletFormat returns the format of a name that people give it, false for none.
func WalletFormat(name string) (string, bool) {
	f, ok := walletFormats[name]
	return f, ok
}

const maxAnchorFile = 1 << 20

// OpenWallet opens the wallet in a folder, sealed to the identity in a file (in the
// folder where it is empty). The files of anchors hold certificates, in PEM or DER.
func OpenWallet(data, identity string, anchors []string) (*Wallet, error) {
	s, err := holder.OpenStore(data, identity)
	if err != nil {
		return nil, err
	}
	w := &Wallet{Store: s, ClientID: credential.CommandClient}
	w.Anchors, err = anchorsIn(anchors)
	return w, err
}

func certificatesIn(b []byte) ([]*x509.Certificate, error) {
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		return x509.ParseCertificates(b)
	}
	var out []*x509.Certificate
	for {
		var p *pem.Block
		if p, b = pem.Decode(b); p == nil {
			break
		}
		if p.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(p.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return out, nil
}

// WalletDocument is a document as it may be printed: without keys and without the text
// that could be shown to others.
type WalletDocument struct {
	ID            string        `json:"id"`
	Name          string        `json:"name,omitempty"`
	Type          string        `json:"type"`
	Format        string        `json:"format"`
	Issuer        string        `json:"issuer"`
	IssuedBy      string        `json:"issued_by,omitempty"`
	Listed        bool          `json:"listed"` // the issuer stood on the list of issuers
	Configuration string        `json:"configuration"`
	Received      time.Time     `json:"received"`
	From          time.Time     `json:"from,omitzero"`
	Until         time.Time     `json:"until,omitzero"`
	Standing      string        `json:"standing,omitempty"`
	Why           string        `json:"why,omitempty"`      // the standing is unknown
	AskAfter      time.Time     `json:"ask_after,omitzero"` // of one that waits
	Copies        int           `json:"copies"`             // in all
	Unused        int           `json:"unused"`             // not shown to anybody
	Claims        []WalletClaim `json:"claims,omitempty"`   // when they were asked for
	Shown         []WalletShown `json:"shown,omitempty"`    // when they were asked for
}

// WalletClaim is one thing that a document says.
type WalletClaim struct {
	Path  json.RawMessage `json:"path"`
	Label string          `json:"label,omitempty"`
	Value any             `json:"value"`
	// Says are the lines in which a person reads the value: one for each entry of a list.
	Says []string `json:"-"`
}

// WalletShown is one time that a document was shown.
type WalletShown struct {
	At     time.Time `json:"at"`
	To     string    `json:"to"`
	Host   string    `json:"host"`
	Claims []string  `json:"claims"`
}

// ShowDocument makes of a document what may be printed, with words in a language. With
// ask the issuer's status list is looked up; without, only the dates are. With all, what
// it says and to whom it was shown is there too.
func ShowDocument(ctx context.Context, w *Wallet, d *WalletHeld, lang string, ask, all bool) (*WalletDocument, error) {
	out := &WalletDocument{ID: d.ID, Name: labelIn(d.Names, lang), Type: d.Type, Format: d.Format, Issuer: d.Issuer, IssuedBy: d.IssuedBy, Listed: d.Listed, Configuration: d.Configuration,
		Received: d.Received, Copies: len(d.Copies)}
	if d.Pending != nil {
		out.Standing, out.AskAfter = string(holder.Waiting), d.Pending.NotBefore
		return out, nil
	}
	for _, c := range d.Copies {
		if c.Shown == 0 {
			out.Unused++
		}
	}
	c, err := d.Content()
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", d.ID, err)
	}
	out.From, out.Until = c.From, c.Until
	if ask {
		s, err := w.Standing(ctx, d)
		out.Standing = string(s)
		if err != nil {
			out.Why = err.Error()
		}
	} else if s := w.InTime(c); s != holder.Valid {
		out.Standing = string(s)
	}
	if !all {
		return out, nil
	}
	out.Claims = claimsOf(d, c, lang)
	for _, x := range d.Shown {
		s := WalletShown{At: x.At, To: x.To, Host: x.Host, Claims: []string{}}
		for _, p := range x.Claims {
			s.Claims = append(s.Claims, p.String())
		}
		out.Shown = append(out.Shown, s)
	}
	return out, nil
}

// labelIn is a name in a language, or the first there is.
func labelIn(list []vci.Label, lang string) string {
	for _, l := range list {
		if tag, _, _ := strings.Cut(l.Locale, "-"); strings.EqualFold(tag, lang) {
			return l.Name
		}
	}
	if len(list) > 0 {
		return list[0].Name
	}
	return ""
}

// SaveBackup writes a backup into a file that only its owner can read and that was not
// there before.
func SaveBackup(w *Wallet, name, passphrase string) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = w.Export(f, passphrase)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(name)
	}
	return err
}

// IsOffer tells whether a link brings an offer, and not the address of an issuer.
func IsOffer(link string) bool {
	_, _, err := vci.ParseLink(link)
	return err == nil || !strings.HasPrefix(link, "http") || strings.Contains(link, "?")
}
