package credential

import (
	"context"
	"encoding/base64"
	"net/http"

	"diwan/internal/gov"
)

// Paths of the pages of one document, and of its pictures below them: pages of this site
// show pictures that come from its own addresses alone.
const (
	minePath    = "/me/documents/"
	deskPath    = "/office/documents/"
	picturePath = "/picture/"
)

// pictureOf opens a picture of a document, for somebody who may do an action to it.
func (s *Credentials) pictureOf(ctx context.Context, who gov.Actor, action, id, claim string) ([]byte, error) {
	d, err := s.Find(ctx, who, action, id)
	if err != nil {
		return nil, err
	}
	t, err := s.TypeVersion(ctx, d.Type, d.Version)
	if err != nil {
		return nil, err
	}
	k, ok := t.Claim(claim)
	if !ok || k.Kind != Image {
		return nil, errNoDocument
	}
	v, err := s.Values(ctx, d)
	if err != nil {
		return nil, err
	}
	text, ok := v[claim].(string)
	if !ok || !pictureFits(text) {
		return nil, errNoDocument
	}
	return base64.StdEncoding.DecodeString(text)
}

// picture answers with a picture of one's own document.
func (m *Mine) picture(w http.ResponseWriter, r *http.Request) {
	b, err := m.pictureOf(r.Context(), m.Actor(r), MayHold, r.PathValue("id"), r.PathValue("claim"))
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	sendPicture(w, b)
}

// picture answers with a picture of a document of the officer's administration.
func (d *Desk) picture(w http.ResponseWriter, r *http.Request) {
	b, err := d.pictureOf(r.Context(), d.Actor(r), MayRead, r.PathValue("id"), r.PathValue("claim"))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	sendPicture(w, b)
}

// sendPicture sends what is a JPEG by its check: kept by nobody on the way, and never
// taken for anything else.
func sendPicture(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(b)
}
