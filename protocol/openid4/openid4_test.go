package openid4

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"
)

// issue makes a certificate by a parent, or one that signs itself.
func issue(t *testing.T, name string, parent *x509.Certificate, by crypto.Signer) (*x509.Certificate, crypto.Signer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte(name)}
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func TestCheckChain(t *testing.T) {
	anchor, anchorKey := issue(t, "anchor", nil, nil)
	middle, middleKey := issue(t, "middle", anchor, anchorKey)
	leaf, _ := issue(t, "leaf", middle, middleKey)
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		ok    bool
	}{
		"leaf":              {[]*x509.Certificate{leaf}, true},
		"leaf and middle":   {[]*x509.Certificate{leaf, middle}, true},
		"with the anchor":   {[]*x509.Certificate{leaf, middle, anchor}, false},
		"signed itself":     {[]*x509.Certificate{anchor}, false},
		"out of order":      {[]*x509.Certificate{middle, leaf}, false},
		"the same twice":    {[]*x509.Certificate{leaf, leaf}, false},
		"something missing": {[]*x509.Certificate{leaf, anchor}, false},
		"empty":             {nil, false},
	} {
		if err := CheckChain(c.chain); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ids := AuthorityKeys([]*x509.Certificate{leaf, middle}); len(ids) != 2 || string(ids[0]) != "middle" || string(ids[1]) != "anchor" {
		t.Errorf("authority keys %q", ids)
	}
}
