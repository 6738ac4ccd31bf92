package credential

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"net/http"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/pdf/seal"
	"diwan/protocol/claimpath"
	"diwan/protocol/sdjwt"
	"diwan/protocol/trustlist"
)

// Certify returns a key for somebody who asks for documents, with its certificate under
// the root of this installation.
func (s *Credentials) Certify(ctx context.Context, id string, name gov.Text) (crypto.Signer, *x509.Certificate, error) {
	c, err := s.certified(ctx, issuerPurpose("verifier "+id), seal.Holder{ID: "verifier " + id, Country: s.Country.Code, Uses: []asn1.ObjectIdentifier{trustlist.ReaderUse}}, name)
	if err != nil {
		return nil, nil, err
	}
	return c.key, c.cert, nil
}

// TypeMetadata describes the published types, for those who show documents to people.
func (s *Credentials) TypeMetadata(ctx context.Context) ([]*sdjwt.TypeMetadata, error) {
	all, err := s.Types(ctx, s.Country.Order()[0])
	if err != nil {
		return nil, err
	}
	var out []*sdjwt.TypeMetadata
	for _, t := range all {
		for _, f := range t.Formats() {
			b, err := s.typeDocument(t, f)
			if err != nil {
				return nil, err
			}
			m := &sdjwt.TypeMetadata{}
			if err := json.Unmarshal(b, m); err != nil {
				return nil, err
			}
			if f == MDoc {
				m = asMDoc(m, t)
			}
			out = append(out, m)
		}
	}
	return out, nil
}

// asMDoc is the same description under the name and the paths of the other format.
func asMDoc(m *sdjwt.TypeMetadata, t *Type) *sdjwt.TypeMetadata {
	x := *m
	x.VCT, x.Claims = t.DocType, nil
	for _, c := range m.Claims {
		c.Path = append(claimpath.Path{t.Namespace}, c.Path...)
		x.Claims = append(x.Claims, c)
	}
	return &x
}

// Local answers what this installation publishes at an address of its own, without a
// network; ok is false for any other address.
func (s *Credentials) Local(ctx context.Context, address, accept string) (body []byte, mediaType string, ok bool) {
	path, ours := strings.CutPrefix(address, s.Base)
	if !ours || !strings.HasPrefix(path, pathLists) && !strings.HasPrefix(path, pathTrust) {
		return nil, "", false
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, "", false
	}
	r.Header.Set("Accept", accept)
	w := &written{head: http.Header{}, status: http.StatusOK}
	s.local().ServeHTTP(w, r)
	return w.body, w.head.Get("Content-Type"), w.status == http.StatusOK
}

// written is an answer that stays in the process.
type written struct {
	head   http.Header
	body   []byte
	status int
}

func (w *written) Header() http.Header         { return w.head }
func (w *written) WriteHeader(status int)      { w.status = status }
func (w *written) Write(b []byte) (int, error) { w.body = append(w.body, b...); return len(b), nil }

func (s *Credentials) local() http.Handler {
	mux, h := http.NewServeMux(), &issuerHTTP{s}
	mux.HandleFunc("GET "+pathStatus+"{list}", h.statusList)
	mux.HandleFunc("GET "+pathLists, h.statusLists)
	mux.HandleFunc("GET "+pathTrust, h.trustList)
	return mux
}
