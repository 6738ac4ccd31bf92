package contract

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"diwan/protocol/xroad"
)

// party is a member with its certificate.
type party struct {
	id   string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func newParty(t *testing.T, id string) party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{SerialNumber: id}, NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{id, key, cert}
}

func signers(all ...party) Signer {
	return func(thumb string) (string, *x509.Certificate, bool) {
		for _, p := range all {
			if Thumbprint(p.cert) == thumb {
				return p.id, p.cert, true
			}
		}
		return "", nil, false
	}
}

func content(asks party) Content {
	return Content{
		IV: "7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b", GroupID: "XX", HashAlgorithm: sha3Name, CreatedAt: start.Unix(),
		Validity: Validity{start.Unix(), start.AddDate(1, 0, 0).Unix()},
		Grants: []Grant{{GrantData{Type: Connection,
			Service: Service{PeerID: "XX/GOV/CIVIL", Name: "REGISTRY.births"},
			Outway:  Outway{"XX/COM/TOWN", KeyThumbprint(asks.cert)},
			Properties: Properties{Client: "XX/COM/TOWN/DESK", Service: "XX/GOV/CIVIL/REGISTRY/births",
				Operations: []Operation{{"GET", "/v1/acts/*"}}, Fields: []string{"name", "birth.date"},
				Purpose: map[string]string{"en": "to register a child"}, LegalBasis: []string{"/akn/xx/act/law/2020/1/~art_7"}},
		}}},
	}
}

func encoded(t *testing.T, c Content) []byte {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signed(t *testing.T, hash string, p party, k Kind) string {
	t.Helper()
	s, err := Sign(hash, k, start.Add(time.Hour), p.key, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStates(t *testing.T) {
	town, civil, other := newParty(t, "XX/COM/TOWN"), newParty(t, "XX/GOV/CIVIL"), newParty(t, "XX/GOV/OTHER")
	who := signers(town, civil, other)
	raw := encoded(t, content(town))
	hash, err := Hash(raw)
	if err != nil {
		t.Fatal(err)
	}
	both := []string{signed(t, hash, town, Accept), signed(t, hash, civil, Accept)}
	now := start.AddDate(0, 1, 0)
	tests := []struct {
		name       string
		signatures []string
		at         time.Time
		want       State
		failures   int
	}{
		{"nobody signed", nil, now, Proposed, 0},
		{"one side", both[:1], now, Proposed, 0},
		{"both sides", both, now, Live, 0},
		{"the same side twice", []string{both[0], both[0]}, now, Proposed, 0},
		{"before it begins", both, start.Add(-time.Second), Waiting, 0},
		{"the second it begins", both, start, Live, 0},
		{"the second it ends", both, start.AddDate(1, 0, 0), Ended, 0},
		{"one side rejects", append([]string{signed(t, hash, civil, Reject)}, both...), now, Rejected, 0},
		{"one side revokes", append([]string{signed(t, hash, town, Revoke)}, both...), now, Revoked, 0},
		{"a stranger can't accept", []string{both[0], signed(t, hash, other, Accept)}, now, Proposed, 1},
		{"a stranger can't revoke", append([]string{signed(t, hash, other, Revoke)}, both...), now, Live, 1},
		{"a signature over another content", []string{both[0], signed(t, "$1$1$other", civil, Accept)}, now, Proposed, 1},
		{"an altered signature", []string{both[0], both[1][:len(both[1])-6] + "AAAAAA"}, now, Proposed, 1},
		{"no signature at all", []string{both[0], "eyJhbGciOiJub25lIn0.e30."}, now, Proposed, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(Signed{raw, tt.signatures}, who)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.State(tt.at); got != tt.want || len(c.Failures) != tt.failures {
				t.Errorf("%s with %d failures %v, want %s with %d", got, len(c.Failures), c.Failures, tt.want, tt.failures)
			}
		})
	}
	t.Run("a certificate that had ended", func(t *testing.T) {
		late, err := Sign(hash, Accept, civil.cert.NotAfter.Add(time.Second), civil.key, civil.cert)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSignature(late, hash, who); !errors.Is(err, ErrCertificate) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		if _, err := ReadSignature(both[0], hash, signers(civil)); !errors.Is(err, ErrCertificate) {
			t.Errorf("%v", err)
		}
	})
}

func TestHash(t *testing.T) {
	raw := encoded(t, content(newParty(t, "XX/COM/TOWN")))
	hash, err := Hash(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$1$1$") || strings.ContainsAny(hash, "+/=") {
		t.Errorf("hash %s", hash)
	}
	var loose map[string]any
	if err := json.Unmarshal(raw, &loose); err != nil {
		t.Fatal(err)
	}
	pretty, err := json.MarshalIndent(loose, "", "  ") // names in another order, spaces
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Hash(pretty); again != hash || err != nil {
		t.Errorf("written another way: %s, %v", again, err)
	}
	grants, err := GrantHashes(raw)
	if err != nil || len(grants) != 1 || !strings.HasPrefix(grants[0], "$1$3$") {
		t.Errorf("grant hashes %v, %v", grants, err)
	}
}

// Each change makes a contract that must not be read.
func TestParseRefuses(t *testing.T) {
	town := newParty(t, "XX/COM/TOWN")
	tests := map[string]func(c *Content){
		"no iv":                 func(c *Content) { c.IV = "" },
		"another algorithm":     func(c *Content) { c.HashAlgorithm = "MD5" },
		"ends before it begins": func(c *Content) { c.Validity.NotAfter = c.Validity.NotBefore },
		"no grant":              func(c *Content) { c.Grants = nil },
		"another kind":          func(c *Content) { c.Grants[0].Data.Type = "GRANT_TYPE_SERVICE_PUBLICATION" },
		"delegation of nobody":  func(c *Content) { c.Grants[0].Data.Type = DelegatedConnection },
		"delegation to oneself": func(c *Content) {
			c.Grants[0].Data.Type = DelegatedConnection
			c.Grants[0].Data.Delegator = &Peer{"XX/COM/TOWN"}
		},
		"client of another peer":  func(c *Content) { c.Grants[0].Data.Properties.Client = "XX/GOV/JUSTICE/COURTS" },
		"service of another peer": func(c *Content) { c.Grants[0].Data.Properties.Service = "XX/GOV/JUSTICE/COURTS/files" },
		"a pattern that can't be": func(c *Content) { c.Grants[0].Data.Properties.Operations[0].Path = "/../secret" },
		"no operation":            func(c *Content) { c.Grants[0].Data.Properties.Operations = nil },
		"no purpose":              func(c *Content) { c.Grants[0].Data.Properties.Purpose = map[string]string{"fr": " "} },
		"no legal basis":          func(c *Content) { c.Grants[0].Data.Properties.LegalBasis = nil },
		"a basis that is no law":  func(c *Content) { c.Grants[0].Data.Properties.LegalBasis = []string{"javascript:alert(1)"} },
		"an empty field":          func(c *Content) { c.Grants[0].Data.Properties.Fields = []string{"a..b"} },
	}
	for name, change := range tests {
		c := content(town)
		change(&c)
		if _, err := Parse(encoded(t, c)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
	raw := string(encoded(t, content(town)))
	for name, doc := range map[string]string{
		"a name twice":      strings.Replace(raw, `{"iv":`, `{"iv":"7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5c","iv":`, 1),
		"an unknown member": strings.Replace(raw, `{"iv":`, `{"surprise":1,"iv":`, 1),
		"two values":        raw + raw,
		"a huge number":     strings.Replace(raw, `"created_at":`, `"created_at":1e400,"x":`, 1),
		"deep nesting":      strings.Replace(raw, `"purpose":{`, `"purpose":{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,`, 1),
		"not UTF-8":         strings.Replace(raw, "XX", "X\xff", 1),
		"too large":         raw + strings.Repeat(" ", MaxBytes),
	} {
		if _, err := Parse([]byte(doc)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

func TestPermit(t *testing.T) {
	town := newParty(t, "XX/COM/TOWN")
	c, err := Open(Signed{encoded(t, content(town)), nil}, signers())
	if err != nil {
		t.Fatal(err)
	}
	permits, err := c.Permits()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path string
		at           time.Time
		want         bool
	}{
		{"GET", "/v1/acts/42", start, true},
		{"GET", "/v1/acts/42", start.Add(-1), false},
		{"GET", "/v1/acts/42", start.AddDate(1, 0, 0), false},
		{"POST", "/v1/acts/42", start, false},
		{"GET", "/v1/acts/42/notes", start, false},
		{"GET", "/v1/acts", start, false},
	} {
		p, err := xroad.ParsePath(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := permits[0].Allows(tt.method, p, tt.at); got != tt.want {
			t.Errorf("%s %s at %v: %v", tt.method, tt.path, tt.at, got)
		}
	}
}

func TestFilter(t *testing.T) {
	const doc = `{"name":"A","secret":1,"birth":{"date":"2020-01-01","place":"B"},"parents":[{"name":"C","id":2},{"id":3}],"n":12345678901234567890.10}`
	for _, tt := range []struct {
		fields []string
		doc    string
		want   string // "" is refused
	}{
		{[]string{"name"}, doc, `{"name":"A"}`},
		{[]string{"birth"}, doc, `{"birth":{"date":"2020-01-01","place":"B"}}`},
		{[]string{"birth.date", "n"}, doc, `{"birth":{"date":"2020-01-01"},"n":12345678901234567890.10}`},
		{[]string{"parents.name"}, doc, `{"parents":[{"name":"C"},{}]}`},
		{[]string{"*.name"}, doc, `{"name":null,"secret":null,"birth":{},"parents":[{"name":"C"},{}],"n":null}`},
		{[]string{"*.id", "parents.name"}, `{"parents":[{"name":"C","id":2,"x":1}]}`, `{"parents":[{"name":"C","id":2}]}`},
		{[]string{"name.first"}, doc, `{"name":null}`},
		{[]string{"name"}, `[{"name":"A","x":1},7]`, `[{"name":"A"},null]`},
		{[]string{"name"}, `"secret"`, `null`},
		{[]string{"name"}, `{"name":"<&>"}`, `{"name":"<&>"}`},
		{[]string{"name"}, `{"name":1,"name":2}`, ""},
		{[]string{"name"}, `{"secret":1,"secret":2}`, ""},
		{[]string{"name"}, `{"name":1} {"secret":2}`, ""},
		{[]string{"name"}, `{"name":1`, ""},
		{[]string{"name"}, strings.Repeat(`{"name":`, 100) + "1" + strings.Repeat("}", 100), ""},
		{[]string{"name"}, `not json`, ""},
	} {
		got, err := NewFilter(tt.fields).Apply([]byte(tt.doc))
		if tt.want == "" {
			if !errors.Is(err, ErrFilter) {
				t.Errorf("%v of %.60s: passed as %s", tt.fields, tt.doc, got)
			}
		} else if string(got) != tt.want || err != nil {
			t.Errorf("%v of %.60s = %s, %v; want %s", tt.fields, tt.doc, got, err, tt.want)
		}
	}
}

// Whatever comes in, nothing passes that was not agreed on.
func FuzzFilter(f *testing.F) {
	f.Add([]byte(`{"name":"A","secret":"S"}`))
	f.Add([]byte(`[{"name":{"secret":1}},{"a":[[{"name":[]}]]}]`))
	filter := NewFilter([]string{"name"})
	f.Fuzz(func(t *testing.T, doc []byte) {
		out, err := filter.Apply(doc)
		if err != nil {
			return
		}
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%q became %q: %v", doc, out, err)
		}
		var look func(v any)
		look = func(v any) {
			switch v := v.(type) {
			case map[string]any:
				for name := range v {
					if name != "name" {
						t.Fatalf("%q let %q pass", doc, name)
					}
				}
			case []any:
				for _, k := range v {
					look(k)
				}
			case nil:
			default:
				t.Fatalf("%q let a plain value pass", doc)
			}
		}
		look(v)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"iv":"7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b","group_id":"XX","validity":{"not_before":1,"not_after":2},"grants":[],"hash_algorithm":"HASH_ALGORITHM_SHA3_512","created_at":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Parse(raw)
		if err != nil {
			return
		}
		if _, err := Hash(raw); err != nil {
			t.Fatalf("it was read and has no hash: %v", err)
		}
		if len(c.Parties()) < 2 {
			t.Fatalf("parties %v", c.Parties())
		}
	})
}
