package holder

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/strict"
)

// Document is what the wallet holds: one document in one format, in several copies that
// can't be told to be of the same, each for a key of its own.
type Document struct {
	ID            string    `json:"id"`
	Issuer        string    `json:"issuer"` // credential issuer identifier
	Configuration string    `json:"configuration"`
	Format        string    `json:"format"`
	Type          string    `json:"type"` // vct or doctype
	Received      time.Time `json:"received"`
	// Listed tells that the issuer stood on the list of issuers for this type. Otherwise
	// only the form of its certificates was checked.
	Listed bool `json:"listed"`
	// IssuedBy names the issuer as its certificate does.
	IssuedBy     string      `json:"issued_by,omitempty"`
	Names        []vci.Label `json:"names,omitempty"` // of the type
	Labels       []vci.Claim `json:"labels,omitempty"`
	Copies       []Copy      `json:"copies,omitempty"`
	Notification string      `json:"notification,omitempty"`
	Pending      *Pending    `json:"pending,omitempty"` // the issuer has still to issue it
	Shown        []Shown     `json:"shown,omitempty"`   // the newest last
}

// Copy is one copy and its key.
type Copy struct {
	Value string `json:"credential"`
	Key   []byte `json:"key"` // PKCS #8
	Shown int    `json:"shown,omitempty"`
}

// Shown is one time that the document was shown.
type Shown struct {
	At     time.Time        `json:"at"`
	To     string           `json:"to"` // client identifier of the verifier
	Host   string           `json:"host"`
	Claims []claimpath.Path `json:"claims"`
}

// maxShown bounds the history of one document; the oldest goes first.
const maxShown = 500

// Content is what a document says.
type Content struct {
	Claims      map[string]any // decoded JSON; of an mdoc, name spaces of elements
	From, Until time.Time      // zero for no bound
	Status      *statuslist.Reference
	// StatusOther tells that the status is told in a way that is not known here.
	StatusOther bool
	Chain       []*x509.Certificate
}

// Content reads what the document says. It was checked when it came.
func (d *Document) Content() (*Content, error) {
	if len(d.Copies) == 0 {
		return nil, ErrWaiting
	}
	return contentOf(d.Format, d.Copies[0].Value)
}

func contentOf(format, value string) (*Content, error) {
	switch format {
	case openid4.SDJWT:
		t, err := sdjwt.Parse(value, jws.Want{})
		if err != nil {
			return nil, err
		}
		return sdjwtContent(t)
	case openid4.MDoc:
		in, err := parseMDoc(value)
		if err != nil {
			return nil, err
		}
		return mdocContent(in.Unverified())
	}
	return nil, fmt.Errorf("%w: the format %q", ErrReceived, format)
}

func parseMDoc(value string) (*mdoc.Issued, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64url", mdoc.ErrForm)
	}
	return mdoc.Parse(b)
}

func sdjwtContent(t *sdjwt.Token) (*Content, error) {
	c := &Content{Claims: t.Unverified(), Chain: t.Header.X5C}
	c.From, c.Until = moment(c.Claims["nbf"]), moment(c.Claims["exp"])
	if s, ok := c.Claims["status"]; ok {
		if r, err := statuslist.FromClaim(s); err == nil {
			c.Status = &r
		} else {
			c.StatusOther = true
		}
	}
	return c, nil
}

// moment reads a NumericDate; what is none was refused when the document came.
func moment(v any) time.Time {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0).UTC()
}

func mdocContent(d *mdoc.Document) (*Content, error) {
	plain := map[string]any{}
	for space, list := range d.Elements {
		m := map[string]any{}
		for name, v := range list {
			m[name] = mdoc.JSON(v)
		}
		plain[space] = m
	}
	// Numbers are compared with a query's as JSON writes them.
	b, err := json.Marshal(plain)
	if err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	c := &Content{From: d.ValidFrom, Until: d.ValidUntil, Chain: d.Chain, StatusOther: d.OtherStatus}
	if c.Claims, err = strict.Object(b, 2*mdoc.MaxBytes); err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	if d.Status != nil {
		r := statuslist.Reference{URI: d.Status.URI}
		if d.Status.Idx >= statuslist.MaxEntries {
			c.StatusOther = true
			return c, nil
		}
		r.Index = int(d.Status.Idx) // #nosec G115 -- bounded above
		c.Status = &r
	}
	return c, nil
}

// newID names a document by chance: what it is can't be told from its file's name.
func newID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(k)
	return k, b, err
}

func readKey(pkcs8 []byte) (*ecdsa.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	e, ok := k.(*ecdsa.PrivateKey)
	if !ok || e.Curve != elliptic.P256() {
		return nil, errors.New("reading a key: it is not on P-256")
	}
	return e, nil
}

// fresh returns the copy that was shown least.
func (d *Document) fresh() *Copy {
	var best *Copy
	for i := range d.Copies {
		if best == nil || d.Copies[i].Shown < best.Shown {
			best = &d.Copies[i]
		}
	}
	return best
}
