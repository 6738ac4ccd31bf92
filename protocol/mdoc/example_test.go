package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log"
	"math/big"
	"time"

	"diwan/protocol/mdoc"
)

// A document is issued, one element of it is shown, and the answer is verified.
func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	issuer, cert := newIssuer(now)
	device, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	issued, err := mdoc.Issue(issuer, mdoc.Issuance{
		DocType: "org.iso.18013.5.1.mDL", DeviceKey: &device.PublicKey, Chain: []*x509.Certificate{cert},
		Signed: now, ValidUntil: now.AddDate(1, 0, 0),
		Elements: []mdoc.Element{
			{NameSpace: "org.iso.18013.5.1", Identifier: "family_name", Value: "Doe"},
			{NameSpace: "org.iso.18013.5.1", Identifier: "birth_date", Value: mdoc.Date("1990-02-28")},
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	// The holder.
	document, err := mdoc.Parse(issued)
	if err != nil {
		log.Fatal(err)
	}
	session, err := mdoc.Transcript("x509_hash:abc", "a nonce", nil, "https://verifier.example/response")
	if err != nil {
		log.Fatal(err)
	}
	answer, err := document.Present([]mdoc.Name{{NameSpace: "org.iso.18013.5.1", Identifier: "birth_date"}}, device, session)
	if err != nil {
		log.Fatal(err)
	}

	// The verifier.
	response, err := mdoc.ParseResponse(answer)
	if err != nil {
		log.Fatal(err)
	}
	want := mdoc.Want{DocType: "org.iso.18013.5.1.mDL", Trust: func(chain []*x509.Certificate, _ string) error {
		if !chain[0].Equal(cert) {
			return errors.New("a stranger")
		}
		return nil
	}}
	seen, err := response.Verify(want, mdoc.Session{Transcript: session}, now)
	fmt.Println(seen.Elements, err)
	// Output: map[org.iso.18013.5.1:map[birth_date:1990-02-28]] <nil>
}

func newIssuer(now time.Time) (*ecdsa.PrivateKey, *x509.Certificate) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		log.Fatal(err)
	}
	return key, c
}
