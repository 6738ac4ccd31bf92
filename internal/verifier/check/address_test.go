package check

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"diwan/internal/outbound"
	"diwan/protocol/cosecode"
	"diwan/protocol/mdoc"
	"diwan/protocol/statuslist"
)

func TestTransport(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer srv.Close()
	if _, _, err := Fetcher(Transport(nil, false))(t.Context(), srv.URL); !errors.Is(err, outbound.ErrPrivate) {
		t.Errorf("this machine was reached: %v", err)
	}
	for _, tr := range []http.RoundTripper{Transport(nil, true), Transport([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, false)} {
		if _, _, err := Fetcher(tr)(t.Context(), srv.URL); err != nil {
			t.Error(err)
		}
	}
}

// TestNobodyIsCalled puts an address wherever a stranger can: none is asked.
func TestNobodyIsCalled(t *testing.T) {
	const evil = "http://169.254.169.254/latest"
	header := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	claims := header(`{"vct":"` + evil + `","iss":"` + evil + `","status":{"status_list":{"idx":1,"uri":"` + evil + `"}}}`)
	w := newWorld(t)
	stranger := w.permit(w.foreign, map[string]any{"vct": evil, "iss": evil, "status": statuslist.Reference{Index: 1, URI: evil}.Claim()})
	for name, text := range map[string]string{
		"stranger":         stranger,
		"stranger's mdoc":  base64.RawURLEncoding.EncodeToString(w.licence(w.foreign, func(in *mdoc.Issuance) { in.Status.URI = evil })),
		"stranger's code":  w.page(w.foreign, func(d *cosecode.Document) { d.Status.URI = evil }),
		"address of a key": header(`{"alg":"ES256","typ":"dc+sd-jwt","jku":"`+evil+`"}`) + "." + claims + ".AA~",
		"of a certificate": header(`{"alg":"ES256","typ":"dc+sd-jwt","x5u":"`+evil+`"}`) + "." + claims + ".AA~",
		"named key":        header(`{"alg":"ES256","typ":"dc+sd-jwt","kid":"`+evil+`"}`) + "." + claims + ".AA~",
		"link":             Link(evil+"/v", w.page(w.foreign, nil)),
		"link of nothing":  evil,
		"changed":          strings.Replace(w.permit(w.town, nil), "~", "~"+header(`["a","b","c"]`)+"~", 1),
	} {
		w.asked = nil
		if r := w.kit.Document(t.Context(), text); r.State != Refused {
			t.Errorf("%s: %s %v", name, r.State, r.Reasons)
		}
		if i := slices.IndexFunc(w.asked, func(u string) bool { return u != trustURL }); i >= 0 {
			t.Errorf("%s: %s was asked", name, w.asked[i])
		}
	}
}

func BenchmarkPresentation(b *testing.B) {
	w := newWorld(b)
	w.present(w.permit(w.town, nil), nil, proofOf(w))
	text := w.present(w.permit(w.town, nil), w.holder, proofOf(w))
	if r, _, err := w.kit.Presentation(b.Context(), FormSDJWT, text, session); err != nil || r.State != Accepted {
		b.Fatal(r, err)
	}
	for b.Loop() {
		_, _, _ = w.kit.Presentation(b.Context(), FormSDJWT, text, session)
	}
}

// BenchmarkBare is the cryptography of a presentation alone: two signatures.
func BenchmarkBare(b *testing.B) {
	k := newKey(b)
	sum := sha256.Sum256([]byte("x"))
	sig, err := ecdsa.SignASN1(rand.Reader, k, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range 2 {
			if !ecdsa.VerifyASN1(&k.PublicKey, sum[:], sig) {
				b.Fatal("not verified")
			}
		}
	}
}
