package sign1_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"

	"diwan/protocol/cosecode/sign1"
)

// A text is signed with a type among the signed headers, and verified.
func Example() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	b, err := sign1.Sign(key, map[any]any{sign1.LabelType: "text/plain"}, nil, []byte("hello"), false)
	if err != nil {
		log.Fatal(err)
	}
	m, err := sign1.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	payload, err := m.Verify(key.Public(), nil)
	fmt.Printf("%s, %v, %v\n", payload, m.Protected[sign1.LabelType], err)
	// Output: hello, text/plain, <nil>
}
