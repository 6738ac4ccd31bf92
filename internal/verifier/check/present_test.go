package check

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
)

var session = Session{ClientID: "x509_hash:abc", Nonce: "nonce-of-this-request", ResponseURI: "https://v.example/answer", Thumbprint: make([]byte, 32)}

// present shows two claims of a permit.
func (w *world) present(text string, key *ecdsa.PrivateKey, p sdjwt.Proof) string {
	w.Helper()
	t, err := sdjwt.Parse(text, jws.Want{})
	if err == nil {
		t, err = t.Present(claimpath.Path{"holder"}, claimpath.Path{"land"})
	}
	if err != nil {
		w.Fatal(err)
	}
	if key == nil {
		return t.String()
	}
	s, err := t.Bind(key, p)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func TestPresentation(t *testing.T) {
	w := newWorld(t)
	proof := func(change func(*sdjwt.Proof)) sdjwt.Proof {
		p := sdjwt.Proof{Audience: session.ClientID, Nonce: session.Nonce, IssuedAt: w.now}
		if change != nil {
			change(&p)
		}
		return p
	}
	permit := w.permit(w.town, nil)
	good := w.present(permit, w.holder, proof(nil))
	cut := func(s string) (front, kb string) { i := strings.LastIndex(s, "~"); return s[:i+1], s[i+1:] }
	goodFront, goodKB := cut(good)
	stranger := newKey(t)
	// A proof by another key than the one that the credential names, over this very
	// credential.
	forged := func() string {
		other := w.permit(w.town, map[string]any{"cnf": map[string]any{"jwk": members(t, &stranger.PublicKey)}})
		_, kb := cut(w.present(other, stranger, proof(nil)))
		return goodFront + kb
	}()
	status := w.permit(w.town, map[string]any{"status": statuslist.Reference{Index: 20, URI: listURI}.Claim()})
	w.status(20, statuslist.Invalid)
	for name, c := range map[string]struct {
		text   string
		reason Reason
		err    error
	}{
		"good":               {good, "", nil},
		"no binding":         {w.present(permit, nil, sdjwt.Proof{}), HolderNotProved, nil},
		"another key":        {forged, HolderNotProved, nil},
		"wrong nonce":        {w.present(permit, w.holder, proof(func(p *sdjwt.Proof) { p.Nonce = "another" })), HolderNotProved, ErrNonce},
		"wrong audience":     {w.present(permit, w.holder, proof(func(p *sdjwt.Proof) { p.Audience = "x509_hash:xyz" })), HolderNotProved, nil},
		"audience no prefix": {w.present(permit, w.holder, proof(func(p *sdjwt.Proof) { p.Audience = "abc" })), HolderNotProved, nil},
		"stale proof":        {w.present(permit, w.holder, proof(func(p *sdjwt.Proof) { p.IssuedAt = w.now.Add(-time.Hour) })), HolderNotProved, nil},
		"stale sd_hash":      {permit + goodKB, HolderNotProved, nil},
		"extra disclosure":   {goodFront + base64.RawURLEncoding.EncodeToString([]byte(`["salt","x",1]`)) + "~" + goodKB, BadSignature, nil},
		"disclosed twice":    {goodFront + strings.Split(goodFront, "~")[1] + "~" + goodKB, BadSignature, nil},
		"revoked":            {w.present(status, w.holder, proof(nil)), Revoked, nil},
		"expired":            {w.present(w.permit(w.town, map[string]any{"exp": w.now.Add(-time.Hour).Unix()}), w.holder, proof(nil)), Expired, nil},
		"not yet":            {w.present(w.permit(w.town, map[string]any{"nbf": w.now.Add(time.Hour).Unix()}), w.holder, proof(nil)), NotYetValid, nil},
		"endless":            {w.present(w.permit(w.town, map[string]any{"exp": nil, "status": nil}), w.holder, proof(nil)), Unsupported, nil},
		"stranger":           {w.present(w.permit(w.foreign, nil), w.holder, proof(nil)), UntrustedIssuer, nil},
		"other mechanism":    {w.present(w.permit(w.town, map[string]any{"status": map[string]any{"else": 1}}), w.holder, proof(nil)), StatusUnknown, nil},
	} {
		r, held, err := w.kit.Presentation(t.Context(), openid4.SDJWT, c.text, session)
		if !errors.Is(err, c.err) || c.reason != "" && !r.Has(c.reason) || (c.reason == "") != (r.State == Accepted) || held.Bound != (c.reason == "") {
			t.Errorf("%s: %s %v, %v (%s)", name, r.State, r.Reasons, err, r.Trace)
		}
	}
	if r, _, _ := w.kit.Presentation(t.Context(), "jwt_vc_json", good, session); !r.Has(Unsupported) {
		t.Errorf("another format: %v", r.Reasons)
	}
}

func TestPresentationISO(t *testing.T) {
	w := newWorld(t)
	show := func(b []byte, key *ecdsa.PrivateKey, s Session) string {
		in, err := mdoc.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		transcript, err := mdoc.Transcript(s.ClientID, s.Nonce, s.Thumbprint, s.ResponseURI)
		if err != nil {
			t.Fatal(err)
		}
		out, err := in.Present([]mdoc.Name{{NameSpace: "org.example", Identifier: "family_name"}}, key, transcript)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(out)
	}
	stranger := newKey(t)
	with := func(change func(*Session)) Session {
		s := session
		change(&s)
		return s
	}
	good := w.licence(w.town, nil)
	w.status(30, statuslist.Suspended)
	suspended := w.licence(w.town, func(in *mdoc.Issuance) { in.Status.Idx = 30 })
	stolen := w.licence(w.town, func(in *mdoc.Issuance) { in.DeviceKey = &stranger.PublicKey })
	for name, c := range map[string]struct {
		text   string
		reason Reason
	}{
		"good":            {show(good, w.holder, session), ""},
		"another nonce":   {show(good, w.holder, with(func(s *Session) { s.Nonce = "another" })), HolderNotProved},
		"another client":  {show(good, w.holder, with(func(s *Session) { s.ClientID = "abc" })), HolderNotProved},
		"another address": {show(good, w.holder, with(func(s *Session) { s.ResponseURI = "https://x.example/" })), HolderNotProved},
		"another key":     {show(good, w.holder, with(func(s *Session) { s.Thumbprint = nil })), HolderNotProved},
		"suspended":       {show(suspended, w.holder, session), Suspended},
		"stranger":        {show(w.licence(w.foreign, nil), w.holder, session), UntrustedIssuer},
		"issued alone":    {base64.RawURLEncoding.EncodeToString(good), Unsupported},
		"stolen":          {show(stolen, stranger, session), ""}, // theirs, by the issuer's word
		"padded":          {show(good, w.holder, session) + "=", Unreadable},
	} {
		r, held, err := w.kit.Presentation(t.Context(), openid4.MDoc, c.text, session)
		if err != nil || c.reason != "" && !r.Has(c.reason) || (c.reason == "") != (r.State == Accepted) || held.Bound != (c.reason == "") || r.Holder != held.Bound {
			t.Errorf("%s: %s %v, %v (%s)", name, r.State, r.Reasons, err, r.Trace)
		}
	}
}

func proofOf(w *world) sdjwt.Proof {
	return sdjwt.Proof{Audience: session.ClientID, Nonce: session.Nonce, IssuedAt: w.now}
}
