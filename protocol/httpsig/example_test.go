package httpsig_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"

	"diwan/protocol/httpsig"
)

type keys struct{ public ed25519.PublicKey }

func (k keys) Key(_ context.Context, id string, _ httpsig.Algorithm) (httpsig.Key, error) {
	if id != "key-1" {
		return httpsig.Key{}, httpsig.ErrKey
	}
	return httpsig.Key{Alg: httpsig.Ed25519, Public: k.public}, nil
}

// A client signs a request; whoever receives it demands what must be covered.
func Example() {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	covered := httpsig.Cs("@method", "@target-uri")

	r, _ := http.NewRequest("GET", "https://service.test/acts/42", nil)
	signer := httpsig.Signer{KeyID: "key-1", Alg: httpsig.Ed25519, Key: private}
	if err := httpsig.SignRequest(r, signer, httpsig.SignOptions{Label: "sig", Components: covered}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Header.Get("Signature-Input"))

	k := keys{private.Public().(ed25519.PublicKey)}
	_, err := httpsig.VerifyRequest(r, k, httpsig.Policy{Components: covered})
	fmt.Println(err)
	r.Method = "DELETE"
	_, err = httpsig.VerifyRequest(r, k, httpsig.Policy{Components: covered})
	fmt.Println(err)
	// Output:
	// sig=("@method" "@target-uri");keyid="key-1"
	// <nil>
	// the signature does not verify
}
