package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// pebble is a small ACME authority (RFC 8555), a program of its own.
type pebble struct {
	address string // of its directory
	ca      string // file, of its own TLS
	client  *http.Client
	manage  string
}

// newPebble starts one that looks for challenges at a TLS port of this machine.
func newPebble(t *testing.T, tlsPort string) *pebble {
	t.Helper()
	program := os.Getenv("DIWAN_TEST_PEBBLE")
	if program == "" {
		var err error
		if program, err = exec.LookPath("pebble"); err != nil {
			t.Skip("this needs the ACME authority pebble, named by DIWAN_TEST_PEBBLE")
		}
	}
	dir := t.TempDir()
	key := newKey(t)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pebble"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	cert, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	p := &pebble{ca: write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))}
	listen, manage := freePort(t), freePort(t)
	port, err := strconv.Atoi(tlsPort)
	if err != nil {
		t.Fatal(err)
	}
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{"listenAddress": listen, "managementListenAddress": manage, "certificate": p.ca,
		"privateKey": write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), "httpPort": 1, "tlsPort": port}})
	if err != nil {
		t.Fatal(err)
	}
	var out safeBuffer
	cmd := exec.Command(program, "-config", write("pebble.json", conf), "-dnsserver", newNames(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	p.address, p.manage = "https://"+listen+"/dir", "https://"+manage
	roots := x509.NewCertPool()
	own, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(own)
	p.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := p.client.Get(p.address)
		if err == nil {
			resp.Body.Close()
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("the authority does not start: %v", err)
		}
	}
}

// roots are what those trust who know the authority.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	resp, err := p.client.Get(p.manage + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(b) {
		t.Fatalf("the authority's root: %v %s", err, b)
	}
	return pool
}

// newNames is a name server, over TCP, to which every host is this machine.
func newNames(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for nameAsked(c) == nil {
				}
			}()
		}
	}()
	return l.Addr().String()
}

func nameAsked(c net.Conn) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(c, head); err != nil {
		return err
	}
	b := make([]byte, binary.BigEndian.Uint16(head))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil || len(m.Questions) != 1 {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	}
	out, err := m.Pack()
	if err == nil {
		_, err = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	}
	return err
}

// The edge gets its certificate from an authority that client systems know, keeps it
// over a restart, and goes on with its own where the authority is of no help.
func TestEdgeCertificateByACME(t *testing.T) {
	const host, other = "gateway.town.example", "elsewhere.example"
	edge := freePort(t)
	_, port, _ := net.SplitHostPort(edge)
	authority := newPebble(t, port)
	key := newKey(t)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pin := sha256.Sum256(der)
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		p.town.Edge.HTTPS = edge
		p.town.Edge.ACME = ACMEConfig{Directory: authority.address, Hosts: []string{host}, Email: "it@town.example", CA: authority.ca, AcceptTerms: true}
		p.town.Clients = []ClientConfig{{Subsystem: "DESK", Pins: []string{hex.EncodeToString(pin[:])}}}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: authority.roots(t), ServerName: host,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}}
	call := func(what string) *x509.Certificate {
		t.Helper()
		req, _ := http.NewRequest("GET", "https://"+edge+r1("/acts/1"), nil)
		req.Header.Set("X-Road-Client", desk)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", what, resp.StatusCode, resp.Header.Get("X-Road-Error"))
		}
		return resp.TLS.PeerCertificates[0]
	}
	verdict := func(code string) bool {
		for _, c := range p.asks.SelfTest(t.Context()) {
			if c.Code == "selftest.edge_certificate."+code {
				return true
			}
		}
		return false
	}
	p.eventually("the certificate is there", func() bool { return verdict("good") })
	first := call("with the authority's certificate")
	shown := func(name string) *x509.Certificate {
		t.Helper()
		c, err := tls.Dial("tcp", edge, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0]
	}
	own := p.asks.cert.Load().Leaf
	if !shown(other).Equal(own) || !shown("").Equal(own) {
		t.Error("under another name the edge does not show the node's own certificate")
	}

	// No private key in the clear, and no other issue after a restart.
	err = filepath.WalkDir(p.town.Data, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte("PRIVATE KEY")) {
			t.Errorf("%s holds a key in the clear", name)
		}
		return err
	})
	p.ok(err)
	p.asks.end()
	p.asks = p.start(p.town)
	if again := call("after a restart"); !again.Equal(first) {
		t.Error("after a restart there is another certificate")
	}
	p.asks.end()
	p.ok(os.RemoveAll(filepath.Join(p.town.Data, keysFolder, acmeFolder)))
	p.town.Edge.ACME.Directory = "https://" + freePort(t) + "/dir"
	p.asks = p.start(p.town)
	if !shown(host).Equal(own) || !verdict("missing") {
		t.Error("without its authority the edge does not go on with its own certificate, or the self-test says nothing")
	}
}

func TestACMEConfig(t *testing.T) {
	good := EdgeConfig{HTTPS: ":443", ACME: ACMEConfig{Directory: "https://acme.example/directory", Hosts: []string{"gateway.town.example"}, AcceptTerms: true}}
	if err := good.checkACME(); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*EdgeConfig){
		"http":               func(c *EdgeConfig) { c.ACME.Directory = "http://acme.example/directory" },
		"no listener":        func(c *EdgeConfig) { c.HTTPS = "" },
		"another":            func(c *EdgeConfig) { c.Certificate = "x.pem" },
		"no terms":           func(c *EdgeConfig) { c.ACME.AcceptTerms = false },
		"no host":            func(c *EdgeConfig) { c.ACME.Hosts = nil },
		"an address":         func(c *EdgeConfig) { c.ACME.Hosts = []string{"127.0.0.1:443"} },
		"a path":             func(c *EdgeConfig) { c.ACME.Hosts = []string{"../x.example"} },
		"all hosts":          func(c *EdgeConfig) { c.ACME.Hosts = []string{"*.example"} },
		"too many":           func(c *EdgeConfig) { c.ACME.Hosts = strings.Split(strings.Repeat("a.example ", 9)+"a.example", " ") },
		"half of a binding":  func(c *EdgeConfig) { c.ACME.EABID = "1" },
		"a name and secrets": func(c *EdgeConfig) { c.ACME.Directory = "https://user:secret@acme.example/" },
	} {
		c := good
		if change(&c); c.checkACME() == nil {
			t.Errorf("%s passes", what)
		}
	}
}

func TestSealedCache(t *testing.T) {
	keys, err := openKeys(t.TempDir(), &turnedClock{}, true)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := sealedCache{keys}, context.Background()
	if _, err := c.Get(ctx, "a.example+rsa"); err == nil || err.Error() != "acme/autocert: certificate cache miss" {
		t.Errorf("nothing there: %v", err)
	}
	for range 2 {
		if err := c.Put(ctx, "../a.example+rsa", []byte("secret")); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := c.Get(ctx, "../a.example+rsa"); err != nil || string(b) != "secret" {
		t.Errorf("%q, %v", b, err)
	}
	if list, _ := filepath.Glob(filepath.Join(keys.dir, keysFolder, acmeFolder, "*")); len(list) != 1 {
		t.Errorf("the cache holds %v", list)
	}
	for range 2 {
		if err := c.Delete(ctx, "../a.example+rsa"); err != nil {
			t.Error(err)
		}
	}
}
