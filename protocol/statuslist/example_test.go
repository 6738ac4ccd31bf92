package statuslist_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/statuslist"
)

// A credential is revoked, the list signed, and a verifier reads the status.
func Example() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Now()
	list, _ := statuslist.New(1<<20, 2)
	_ = list.Set(412, statuslist.Invalid)
	packed, err := list.Pack()
	if err != nil {
		fmt.Println(err)
		return
	}
	const uri = "https://issuer.example/statuslists/1"
	token, err := (&statuslist.Token{
		URI: uri, IssuedAt: now, Expires: now.Add(24 * time.Hour), TTL: 5 * time.Minute, List: packed,
	}).SignJWT(key, jws.Header{Kid: "2026-1"})
	if err != nil {
		fmt.Println(err)
		return
	}

	verified, err := statuslist.VerifyJWT(token, statuslist.Policy{
		URI: uri, Now: now,
		Key: func(jws.Header, string) (crypto.PublicKey, error) { return key.Public(), nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	status, err := verified.Status(statuslist.Reference{Index: 412, URI: uri})
	fmt.Println(status, err)
	// Output: INVALID <nil>
}
