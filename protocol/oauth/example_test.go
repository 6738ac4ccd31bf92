package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"diwan/protocol/oauth"
)

// A client proves with each request that it holds a key. The server, which gives
// nonces, tells it to come again with one.
func ExampleVerifyDPoP() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	nonces, err := oauth.NewNonces(5*time.Minute, make([]byte, 32)) // a real secret is random
	if err != nil {
		fmt.Println(err)
		return
	}
	const endpoint = "https://server.example.com/token"
	send := func(nonce string) error {
		proof, err := oauth.DPoP{Key: key, Method: "POST", URL: endpoint, Now: now, Nonce: nonce}.Make()
		if err != nil {
			return err
		}
		_, err = oauth.VerifyDPoP(context.Background(), oauth.DPoPCheck{
			Header: http.Header{"Dpop": {proof}}, Method: "POST", URL: endpoint, Now: now,
			Nonce: nonces.Valid(oauth.ForDPoP, now),
		})
		return err
	}
	err = send("")
	fmt.Println(errors.Is(err, oauth.UseDPoPNonce), oauth.CodeOf(err).Status())
	fmt.Println(send(nonces.Make(oauth.ForDPoP, now)))
	// Output:
	// true 400
	// <nil>
}

func ExampleWellKnown() {
	s, err := oauth.WellKnown("https://issuer.example.com/tenant", "openid-credential-issuer")
	fmt.Println(s, err)
	// Output: https://issuer.example.com/.well-known/openid-credential-issuer/tenant <nil>
}
