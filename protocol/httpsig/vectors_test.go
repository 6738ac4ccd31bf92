package httpsig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/internal/beside"
)

// The files hold appendix B of RFC 9421. That of B.2.4 carries no signature; this
// is the one that the RFC prints.
const signatureB24 = "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="

// vectorDir finds the vectors beside the project, or skips the test.
func vectorDir(t testing.TB) string {
	t.Helper()
	found, err := beside.Find("vectors/http-signatures")
	if err != nil {
		t.Skip("the vectors of RFC 9421 are absent: ", err)
	}
	return found
}

type vectorMessage struct {
	Type, Method, URL, Body string
	StatusCode              int
	Headers                 [][2]string
}

func (v vectorMessage) message(t *testing.T) *Message {
	m := &Message{Status: v.StatusCode, Header: http.Header{}}
	for _, h := range v.Headers {
		m.Header.Add(h[0], h[1])
	}
	if v.Type == "request" {
		u, err := url.Parse(v.URL)
		if err != nil {
			t.Fatal(err)
		}
		m.Method, m.Scheme, m.Authority, m.Target = v.Method, u.Scheme, m.Header.Get("Host"), u.RequestURI()
	}
	return m
}

type vector struct {
	ID             string
	Message        vectorMessage
	RequestMessage *vectorMessage
	SigningParams  struct {
		Label, KeyID, Nonce, Tag string
		Components               []any
		Algorithm                Algorithm
		Created, Expires         int64
	}
	ExpectedBase, ExpectedSignatureInput, ExpectedSignature, VerifyOnlySignature string
	Deterministic                                                                bool
	KeyFile, PubKeyFile                                                          string
}

func (v vector) components(t *testing.T) (out []Component) {
	for _, c := range v.SigningParams.Components {
		switch c := c.(type) {
		case string:
			out = append(out, C(c))
		case map[string]any:
			p, _ := c["params"].(map[string]any)
			name, _ := c["name"].(string)
			param, _ := p["name"].(string)
			out = append(out, Component{Name: name, Param: param})
		default:
			t.Fatalf("component %v", c)
		}
	}
	return out
}

// keyPair reads the keys of a vector.
func (v vector) keyPair(t *testing.T, dir string) (Signer, Key) {
	alg := v.SigningParams.Algorithm
	b, err := os.ReadFile(filepath.Join(dir, v.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if alg == HMACSHA256 {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		return Signer{KeyID: v.SigningParams.KeyID, Alg: alg, Secret: secret}, Key{Alg: alg, Secret: secret}
	}
	block, _ := pem.Decode(b)
	var private any
	if private, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		if private, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
			private, err = pssKey(block.Bytes)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	signer := private.(crypto.Signer)
	return Signer{KeyID: v.SigningParams.KeyID, Alg: alg, Key: signer}, Key{Alg: alg, Public: signer.Public()}
}

// pssKey reads a PKCS 8 key whose algorithm is id-RSASSA-PSS, which the standard
// library does not.
func pssKey(der []byte) (*rsa.PrivateKey, error) {
	var v struct {
		Version   int
		Algorithm struct{ OID asn1.ObjectIdentifier }
		Key       []byte
	}
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil, err
	}
	return x509.ParsePKCS1PrivateKey(v.Key)
}

type fixedKeys struct {
	id  string
	key Key
}

func (k fixedKeys) Key(_ context.Context, id string, _ Algorithm) (Key, error) {
	if id != k.id {
		return Key{}, ErrKey
	}
	return k.key, nil
}

func TestRFC9421Vectors(t *testing.T) {
	dir := vectorDir(t)
	files, err := filepath.Glob(filepath.Join(dir, "vectors", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			checkVector(t, dir, v)
		})
	}
}

func checkVector(t *testing.T, dir string, v vector) {
	signer, key := v.keyPair(t, dir)
	p := v.SigningParams
	m := v.Message.message(t)
	if v.RequestMessage != nil {
		m.Request = v.RequestMessage.message(t)
	}
	o := SignOptions{Label: p.Label, Components: v.components(t), Params: Params{Created: time.Unix(p.Created, 0), Nonce: p.Nonce, Tag: p.Tag}}
	if p.Expires > 0 {
		o.Params.Expires = time.Unix(p.Expires, 0)
	}
	text, err := Sign(m, signer, o)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != v.ExpectedBase {
		t.Errorf("base\n%s\nwant\n%s", text, v.ExpectedBase)
	}
	if v.Deterministic && m.Header.Get("Signature-Input") != v.ExpectedSignatureInput {
		t.Errorf("input %s, want %s", m.Header.Get("Signature-Input"), v.ExpectedSignatureInput)
	}
	if v.Deterministic && m.Header.Get("Signature") != p.Label+"=:"+v.ExpectedSignature+":" {
		t.Errorf("signature %s, want %s", m.Header.Get("Signature"), v.ExpectedSignature)
	}
	policy := Policy{Components: v.components(t), Label: p.Label, Tag: p.Tag, Algorithms: []Algorithm{p.Algorithm}}
	keys := fixedKeys{p.KeyID, key}
	if got, err := Verify(t.Context(), m, keys, policy); err != nil || !bytes.Equal(got.Base, text) {
		t.Errorf("our own signature: %v", err)
	}
	published := v.ExpectedSignature + v.VerifyOnlySignature
	if v.ID == "B.2.4" {
		published = signatureB24
	}
	m.Header.Set("Signature-Input", v.ExpectedSignatureInput)
	m.Header.Set("Signature", p.Label+"=:"+published+":")
	if _, err := Verify(t.Context(), m, keys, policy); err != nil {
		t.Errorf("the published signature: %v", err)
	}
	wrong := []byte(published)
	wrong[10] ^= 1
	m.Header.Set("Signature", p.Label+"=:"+string(wrong)+":")
	if _, err := Verify(t.Context(), m, keys, policy); !errors.Is(err, ErrSignature) && !errors.Is(err, ErrMalformed) {
		t.Errorf("a changed signature: %v", err)
	}
	if v.Message.Body != "" {
		if err := CheckDigest(m.Header.Values(HeaderDigest), []byte(v.Message.Body)); err != nil {
			t.Error(err)
		}
	}
}

// Appendix B.4: what proxies may change without breaking the signature, and what
// they may not.
func TestTransformations(t *testing.T) {
	dir := vectorDir(t)
	b, err := os.ReadFile(filepath.Join(dir, "vectors", "b4-transform-ed25519.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	_, key := v.keyPair(t, dir)
	for name, c := range map[string]struct {
		change func(*Message)
		good   bool
	}{
		"as it was":                   {func(m *Message) {}, true},
		"a new field":                 {func(m *Message) { m.Header.Set("Accept-Language", "en") }, true},
		"lines joined":                {func(m *Message) { m.Header.Set("Accept", "application/json, */*") }, true},
		"spaces around":               {func(m *Message) { m.Header["Accept"] = []string{" application/json\t", "  */* "} }, true},
		"host in capitals, with port": {func(m *Message) { m.Authority = "EXAMPLE.org:443" }, true},
		"another query":               {func(m *Message) { m.Target = "/demo?name1=x" }, true},
		"method":                      {func(m *Message) { m.Method = "POST" }, false},
		"host":                        {func(m *Message) { m.Authority = "example.com" }, false},
		"another port":                {func(m *Message) { m.Authority = "example.org:8443" }, false},
		"path":                        {func(m *Message) { m.Target = "/demo/?name1=Value1&Name2=value2" }, false},
		"values swapped":              {func(m *Message) { m.Header["Accept"] = []string{"*/*", "application/json"} }, false},
		"a value less":                {func(m *Message) { m.Header.Set("Accept", "application/json") }, false},
		"no field":                    {func(m *Message) { m.Header.Del("Accept") }, false},
	} {
		m := v.Message.message(t)
		m.Header.Set("Signature-Input", v.ExpectedSignatureInput)
		m.Header.Set("Signature", v.SigningParams.Label+"=:"+v.ExpectedSignature+":")
		c.change(m)
		_, err := Verify(t.Context(), m, fixedKeys{v.SigningParams.KeyID, key}, Policy{Components: v.components(t)})
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRSAv15VerifyOnly(t *testing.T) {
	key, sig := rsaV15(t)
	m := &Message{Method: "GET", Scheme: "https", Authority: "h", Target: "/", Header: http.Header{}}
	m.Header.Set("Signature-Input", `s=("@method");keyid="k"`)
	m.Header.Set("Signature", "s=:"+base64.StdEncoding.EncodeToString(sig)+":")
	keys := fixedKeys{"k", Key{Alg: RSAv15, Public: key.Public()}}
	if _, err := Verify(t.Context(), m, keys, Policy{Components: Cs("@method")}); err != nil {
		t.Error(err)
	}
	if _, err := Sign(m, Signer{KeyID: "k", Alg: RSAv15, Key: key}, SignOptions{Label: "s", Components: Cs("@method")}); !errors.Is(err, ErrKey) {
		t.Errorf("signs with rsa-v1_5: %v", err)
	}
}
