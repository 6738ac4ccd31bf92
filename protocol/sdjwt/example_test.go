package sdjwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/sdjwt"
)

// A credential is issued, one of its claims is shown, and the verifier checks it.
func Example() {
	issuer, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holder, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	holderKey := jose.JSONWebKey{Key: holder.Public()}
	now := time.Now()

	credential, err := sdjwt.Issue(issuer, sdjwt.Issuance{
		Claims: map[string]any{
			"vct": "urn:example:diploma:1", "exp": now.Add(time.Hour).Unix(), "cnf": map[string]any{"jwk": &holderKey},
			"name": "Arthur Dent", "birthdate": "1978-04-10",
		},
		Disclosable: []claimpath.Path{{"name"}, {"birthdate"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	held, _ := sdjwt.Parse(credential, jws.Want{})
	shown, _ := held.Present(claimpath.Path{"name"})
	presentation, _ := shown.Bind(holder, sdjwt.Proof{Audience: "https://bank.example", Nonce: "7f3a", IssuedAt: now})

	received, err := sdjwt.Parse(presentation, jws.Want{})
	if err != nil {
		fmt.Println(err)
		return
	}
	verified, err := received.Verify(sdjwt.Policy{
		Key: func(jws.Header, map[string]any) (crypto.PublicKey, error) { return issuer.Public(), nil },
		Now: now, Limited: true,
		Binding: &sdjwt.Binding{Audience: "https://bank.example", Nonce: "7f3a"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	disclosed, _ := json.Marshal(verified.Disclosed)
	fmt.Println(verified.Claims["name"], verified.Claims["birthdate"], string(disclosed))
	// Output: Arthur Dent <nil> [["name"]]
}
