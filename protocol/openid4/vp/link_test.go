package vp

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/beside"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/jwe"
)

func TestLinks(t *testing.T) {
	for _, l := range []Link{{ClientID: "x509_hash:abc", RequestURI: host}, {ClientID: "x509_hash:a b", RequestURI: host, Method: Post}, {ClientID: "a", Request: "a.b.c"}} {
		for _, base := range []string{Scheme, SchemeHAIP, "https://wallet.example/open?x=1"} {
			s, err := l.URL(base)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseLink(s)
			if err != nil || got.ClientID != l.ClientID || got.RequestURI != l.RequestURI || got.Method != l.Method || got.Request != l.Request || got.Parameters != nil {
				t.Errorf("%s: %+v, %v", s, got, err)
			}
		}
	}
	for _, l := range []Link{{}, {ClientID: "a"}, {ClientID: "a", RequestURI: host, Request: "b"}, {ClientID: "a", RequestURI: "http://a.example"}} {
		if _, err := l.URL(Scheme); !errors.Is(err, ErrLink) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for s, want := range map[string]error{
		"?client_id=a&request_uri=https%3A%2F%2Fa.example&request_uri_method=POST": InvalidRequestURIMethod,
		"?client_id=a&request_uri=https%3A%2F%2Fa.example&request_uri_method=":     InvalidRequestURIMethod,
		"?client_id=a&request_uri_method=post":                                     oauth.InvalidRequest,
		"?request_uri=https%3A%2F%2Fa.example":                                     oauth.InvalidRequest,
		"?client_id=a&client_id=b&request_uri=https%3A%2F%2Fa.example":             oauth.InvalidRequest,
		"?client_id=a&request_uri=https%3A%2F%2Fa.example&request=b":               oauth.InvalidRequest,
		"?client_id=a&request_uri=http%3A%2F%2Fa.example":                          oauth.InvalidRequest,
		"?client_id=a&request_uri=https%3A%2F%2Fuser%40a.example":                  oauth.InvalidRequest,
		"?client_id=%zz": oauth.InvalidRequest,
		"":               oauth.InvalidRequest,
		"?client_id=a&x=" + strings.Repeat("a", maxLink): oauth.InvalidRequest,
	} {
		if l, err := ParseLink(Scheme + s); !errors.Is(err, want) {
			t.Errorf("%.80s: %+v, %v, want %v", s, l, err, want)
		}
	}
}

func TestClientID(t *testing.T) {
	all := []string{Registered, RedirectURI, X509SANDNS, X509Hash, DecentralizedID, VerifierAttestation, Federation, "origin"}
	for s, prefix := range map[string]string{
		"x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk":     X509Hash,
		"x509_san_dns:client.example.org":                           X509SANDNS,
		"redirect_uri:https://client.example.org/cb":                RedirectURI,
		"decentralized_identifier:did:example:123":                  DecentralizedID,
		"verifier_attestation:verifier.example":                     VerifierAttestation,
		"openid_federation:https://federation-verifier.example.com": Federation,
		"example-client": Registered,
	} {
		if c, err := ParseClientID(s, all); err != nil || c.Prefix != prefix || c.Full != s {
			t.Errorf("%s: %+v, %v", s, c, err)
		}
		if _, err := ParseClientID(s, nil); !errors.Is(err, ErrClient) {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "origin:https://a.example", "https://a.example", "x509_hash:", ":x", "X509_HASH:abc", strings.Repeat("a", maxClientID+1)} {
		if c, err := ParseClientID(s, all); !errors.Is(err, ErrClient) {
			t.Errorf("%.40s: %+v, %v", s, c, err)
		}
	}
	p := newParty(t, "*.example.org", "client.example.org")
	leaf := p.chain[0]
	for _, c := range []struct {
		id, uri string
		ok      bool
	}{
		{HashID(leaf), "https://anywhere.example", true},
		{HashID(p.anchor), "https://anywhere.example", false},
		{DNSID("client.example.org"), "https://Client.example.org/x", true},
		{DNSID("client.example.org"), "https://other.example.org/x", false},
		{DNSID("client.example.org"), "https://client.example.org.evil.example/x", false},
		{DNSID("other.example.org"), "https://other.example.org/x", false},
		{"redirect_uri:https://client.example.org", "https://client.example.org", false},
	} {
		id, err := ParseClientID(c.id, all)
		if err != nil {
			t.Fatal(err)
		}
		if err := id.Proved(leaf, c.uri); (err == nil) != c.ok {
			t.Errorf("%s for %s: %v", c.id, c.uri, err)
		}
	}
}

func TestFetch(t *testing.T) {
	f := Fetch{Wallet: &WalletMetadata{Formats: DefaultFormats(), Prefixes: []string{X509Hash}}, Nonce: NewNonce()}
	form, err := f.Form()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseFetch(form)
	if err != nil || got.Nonce != f.Nonce {
		t.Fatal(got, err)
	}
	if a, ok := got.Wallet.Formats.Of(openid4.MDoc); !ok || len(a.IssuerAuth) != 1 || a.IssuerAuth[0] != -7 {
		t.Errorf("formats %+v", a)
	}
	if err := got.Wallet.Accepts([]string{openid4.SDJWT}, X509Hash); err != nil {
		t.Error(err)
	}
	for _, err := range []error{got.Wallet.Accepts([]string{"ldp_vc"}, X509Hash), got.Wallet.Accepts([]string{openid4.SDJWT}, Registered)} {
		if !errors.Is(err, ErrWallet) {
			t.Errorf("got %v", err)
		}
	}
	if got, err := ParseFetch(url.Values{}); err != nil || got.Wallet != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, v := range []url.Values{{"wallet_nonce": {"a", "b"}}, {"wallet_nonce": {strings.Repeat("a", maxWalletNonce+1)}}, {"wallet_metadata": {"["}}} {
		if _, err := ParseFetch(v); !errors.Is(err, oauth.InvalidRequest) {
			t.Errorf("got %v", err)
		}
	}
}

// TestPublishedMetadata reads the verifiers' metadata and the set of keys that
// OpenID4VP 1.0 prints.
func TestPublishedMetadata(t *testing.T) {
	dir, err := beside.Find("vectors/oid4vp")
	if err != nil {
		t.Skip("the examples of OpenID4VP are absent: ", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "client_metadata", "*.json"))
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var m ClientMetadata
		if err := json.Unmarshal(b, &m); err != nil || len(m.Formats) != 1 {
			t.Errorf("%s: %+v, %v", filepath.Base(f), m, err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "client_metadata", "mso_mdoc_verifier_metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m ClientMetadata
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if a, ok := m.Formats.Of(openid4.MDoc); !ok || len(a.DeviceAuth) != 2 || a.DeviceAuth[0] != -9 {
		t.Errorf("read %+v", a)
	}
	// The set of keys that §8.3 prints: of four curves, one is chosen.
	var set jwe.Set
	if err := json.Unmarshal([]byte(`{"keys":[{"kty":"OKP","kid":"jc","use":"enc","crv":"X25519","alg":"ECDH-ES","x":"WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"},
		{"kty":"EC","kid":"lc","use":"enc","crv":"P-384","alg":"ECDH-ES","x":"iHytgLNtXjEyYMAIGwfgjINZRmLfObYbmjPhkaPD8OiTkJtRHjegTNdH31Mxg4nV","y":"MizXWSqNB7sSt_SNjg3spvaJnmjB-LpxsPpLUaea33rvINL3Mq-gEaANErRQpbLx"},
		{"kty":"OKP","kid":"bc","use":"enc","crv":"X448","alg":"ECDH-ES","x":"pK5IRpLlX-8XcsRYWHejpzkfsHoDOmAYuBzAC7aTpewWOw_QFHSa64t9p2kuommI8JQQLohS2AIA"},
		{"kty":"EC","kid":"ac","use":"enc","crv":"P-256","alg":"ECDH-ES","x":"YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk","y":"Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}]}`), &set); err != nil {
		t.Fatal(err)
	}
	if k, err := set.Choose(); err != nil || k.KeyID != "ac" {
		t.Errorf("chosen %v, %v", k, err)
	}
}
