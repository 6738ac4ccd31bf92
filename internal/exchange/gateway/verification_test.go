package gateway

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rezipped is a zip with each file changed; nil leaves a file out.
func rezipped(t testing.TB, b []byte, change func(name string, body []byte) (string, []byte)) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		name, body := change(f.Name, body)
		if body == nil {
			continue
		}
		to, err := w.Create(name)
		if err == nil {
			_, err = to.Write(body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A client system takes the verification configuration from its gateway, and with
// nothing else proves an exchange; one that is not whole is not believed.
func TestVerificationConfiguration(t *testing.T) {
	p := provenPair(t)
	if a := p.asks.call("POST", r1("/acts"), strings.NewReader(`{"n":1}`), "X-Road-Id", "conf-1"); a.status != 201 {
		t.Fatalf("%+v", a)
	}
	ev := p.proven(p.asks, "conf-1")
	a := p.asks.call("GET", "/verificationconf", nil)
	if a.status != 200 || a.header.Get("Content-Type") != "application/zip" || a.header.Get("ETag") == "" {
		t.Fatalf("%+v", a)
	}
	file := filepath.Join(t.TempDir(), "conf.zip")
	keep := func(b []byte) ([][]byte, error) {
		p.ok(os.WriteFile(file, b, 0o600))
		return ReadTrust(file)
	}
	keys, err := keep([]byte(a.body))
	p.ok(err)
	if r := CheckEvidence(ev, EvidenceTrust{DirectoryKeys: keys, Witnesses: 1, NeedStamp: true}); !r.Proven {
		t.Errorf("%+v", r.Steps)
	}
	var names []string
	whole := rezipped(t, []byte(a.body), func(name string, b []byte) (string, []byte) {
		names = append(names, name)
		if bytes.Contains(b, []byte("PRIVATE")) || bytes.Contains(b, []byte("AGE-SECRET")) {
			t.Errorf("%s holds a secret", name)
		}
		return name, b
	})
	if _, err := keep(whole); err != nil || len(names) != 4+2 {
		t.Errorf("%v: %v", names, err)
	}
	for _, path := range []string{verificationIndex, verificationKeys, verificationCAs, verificationTSAs, verificationParts} {
		if !strings.Contains(strings.Join(names, "\n"), "verificationconf/XX/"+path) {
			t.Errorf("%s is missing among %v", path, names)
		}
	}

	// The same directory is the same file; it is not sent twice to who has it.
	if b := p.asks.call("GET", "/verificationconf", nil); b.body != a.body {
		t.Error("the same directory gives another file")
	}
	if b := p.asks.call("GET", "/verificationconf", nil, "If-None-Match", a.header.Get("ETag")); b.status != 304 {
		t.Errorf("what is there already: %d", b.status)
	}
	if b := p.asks.call("HEAD", "/verificationconf", nil); b.status != 200 || b.body != "" {
		t.Errorf("HEAD: %+v", b)
	}
	if b := p.asks.call("POST", "/verificationconf", nil); b.status != 500 || b.errorType() == "" {
		t.Errorf("POST: %+v", b)
	}
	p.ok(p.regsOff.Directory().SetService(t.Context(), "REGISTRY", "deaths", offer()))
	p.clock.turn(2 * time.Second)
	p.eventually("a new directory is another file", func() bool {
		b := p.asks.call("GET", "/verificationconf", nil)
		return b.status == 200 && b.header.Get("ETag") != a.header.Get("ETag")
	})

	good := []byte(a.body)
	other := newPair(t, acts(t), nil)
	theirs := []byte(other.asks.call("GET", "/verificationconf", nil).body)
	var foreign []byte
	rezipped(t, theirs, func(name string, b []byte) (string, []byte) {
		if strings.HasSuffix(name, verificationKeys) {
			foreign = b
		}
		return name, b
	})
	change := func(end string, f func([]byte) []byte) []byte {
		return rezipped(t, good, func(name string, b []byte) (string, []byte) {
			if strings.Contains(name, end) {
				b = f(b)
			}
			return name, b
		})
	}
	none := func([]byte) []byte { return nil }
	for what, b := range map[string][]byte{
		"cut":                   good[:len(good)-30],
		"without keys":          change(verificationKeys, none),
		"without the index":     change(verificationIndex, none),
		"without a part":        change(verificationParts, none),
		"with another's keys":   change(verificationKeys, func([]byte) []byte { return foreign }),
		"with an altered part":  change(verificationParts, func(b []byte) []byte { return bytes.Replace(b, []byte("Desk"), []byte("Dusk"), 1) }),
		"with an altered index": change(verificationIndex, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }),
		"of another instance":   rezipped(t, good, func(name string, b []byte) (string, []byte) { return strings.Replace(name, "/XX/", "/YY/", 1), b }),
		"out of its folder":     rezipped(t, good, func(name string, b []byte) (string, []byte) { return "verificationconf/XX/../" + name, b }),
		"with a file twice":     rezipped(t, good, func(name string, b []byte) (string, []byte) { return "verificationconf/XX/index.jws", b }),
		"of two instances": rezipped(t, good, func(name string, b []byte) (string, []byte) {
			return strings.Replace(name, "XX/authorities", "YY/authorities", 1), b
		}),
	} {
		if keys, err := keep(b); !errors.Is(err, ErrVerification) {
			t.Errorf("%s: %d keys, %v", what, len(keys), err)
		}
	}
}

func FuzzReadVerification(f *testing.F) {
	b := rezipped(f, emptyZip(f), func(name string, b []byte) (string, []byte) { return name, b })
	f.Add(b)
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, err := readVerification(b); err == nil && len(keys) == 0 {
			t.Error("it is believed without a key")
		}
	})
}

func emptyZip(t testing.TB) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{verificationIndex, verificationKeys, verificationCAs} {
		to, err := w.Create(verificationRoot + "/XX/" + name)
		if err == nil {
			_, err = to.Write([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
