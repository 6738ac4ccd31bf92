package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewRoot("XX", newKey(t), start)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The names that somebody writes into a request must not come out as a
// certificate.
func TestNamesOfARequestAreIgnored(t *testing.T) {
	a, key := newAuthority(t), newKey(t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{SerialNumber: "XX/GOV/TREASURY"}, DNSNames: []string{"treasury.example"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.IssueNode(csr, Holder{"XX/COM/TOWN", "one", []string{"127.0.0.1", "town.example"}}, start)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject.SerialNumber != "XX/COM/TOWN" || len(c.DNSNames) != 1 || c.DNSNames[0] != "town.example" || !c.IPAddresses[0].Equal(net.IPv4(127, 0, 0, 1)) || c.URIs[0].String() != "exchange:XX/COM/TOWN/one" {
		t.Errorf("subject %v, names %v %v %v", c.Subject, c.DNSNames, c.IPAddresses, c.URIs)
	}
	if m, err := a.IssueMember(csr, "XX/COM/TOWN", start); err != nil || m.Subject.SerialNumber != "XX/COM/TOWN" || len(m.DNSNames) != 0 || m.IsCA {
		t.Errorf("member %v, %v", m.Subject, err)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	a := newAuthority(t)
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	request := func(k crypto.Signer) []byte {
		b, err := NewRequest(k)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := request(newKey(t))
	altered := append([]byte{}, good...)
	altered[len(altered)-3] ^= 1
	for name, csr := range map[string][]byte{"RSA": request(weak), "an altered one": altered, "none": nil, "noise": []byte("x"), "a huge one": make([]byte, maxRequest+1)} {
		if _, err := a.IssueNode(csr, Holder{Member: "XX/COM/TOWN", Node: "one"}, start); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStampCertificate(t *testing.T) {
	a := newAuthority(t)
	c, err := a.IssueStamp(newKey(t).Public(), "stamps", start)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
		t.Errorf("usages %v", c.ExtKeyUsage)
	}
}

func TestKeyProof(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	token, hash := NewToken()
	if hash != TokenHash(" "+token+"\n") {
		t.Error("spaces around a token that was pasted change its hash")
	}
	proof, err := ProveKey(key, token)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(der, proof, token); err != nil {
		t.Error(err)
	}
	other, _ := NewToken()
	if err := CheckKey(der, proof, other); !errors.Is(err, ErrProof) {
		t.Errorf("with another token: %v", err)
	}
	p256, err := x509.MarshalPKIXPublicKey(newKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckKey(p256, proof, token); !errors.Is(err, ErrProof) {
		t.Errorf("a key of another kind: %v", err)
	}
}

// Two ends that check each other, with the certificates that are right and those
// that are not.
func TestVerifyPeer(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	cert := func(a *Authority, at time.Time) tls.Certificate {
		key := newKey(t)
		csr, err := NewRequest(key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.IssueNode(csr, Holder{"XX/COM/TOWN", "one", nil}, at)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	good := cert(a, start)
	for name, tt := range map[string]struct {
		client tls.Certificate
		now    time.Time
		ok     bool
	}{
		"right":                {good, start.Add(time.Hour), true},
		"expired":              {good, start.Add(NodeLife + time.Second), false},
		"of another authority": {cert(stranger, start), start.Add(time.Hour), false},
		"of the future":        {cert(a, start.AddDate(0, 0, 2)), start.Add(time.Hour), false},
		"not in the directory": {cert(a, start), start.Add(time.Hour), false},
		"none at all":          {tls.Certificate{}, start.Add(time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			now := func() time.Time { return tt.now }
			allowed := func(c *x509.Certificate) error {
				if name == "not in the directory" {
					return ErrPeer
				}
				return nil
			}
			server := &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS13,
				VerifyConnection: VerifyPeer(func() *x509.CertPool { return pool }, now, x509.ExtKeyUsageClientAuth, allowed)}
			client := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &tt.client, nil }}
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			go func() {
				c := tls.Client(here, client)
				c.Handshake()
				c.Read(make([]byte, 1))
			}()
			if err := tls.Server(there, server).Handshake(); (err == nil) != tt.ok {
				t.Errorf("%v", err)
			}
		})
	}
}
