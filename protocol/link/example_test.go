package link_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"time"

	"diwan/protocol/link"
)

// Two messages are signed together; each is then a proof on its own.
func ExampleBatch() {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)) // a fixed key, for the example only
	signer, err := link.NewSigner(key, "XX/GOV/ONE")
	if err != nil {
		fmt.Println(err)
		return
	}
	created := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var envelopes []*link.Envelope
	for _, head := range []string{"GET /a\r\n", "GET /b\r\n"} {
		f := link.Fields{Kind: link.KindRequest, Alg: signer.Public().Alg(), Key: signer.Public().ID(), Created: created,
			Valid: 30 * time.Second, ID: link.NewRequestID(), Head: sha512.Sum512([]byte(head)), Body: link.EmptyDigest}
		envelopes = append(envelopes, f.Make())
	}
	var batch link.Batch
	if err := batch.Sign(signer, created.UnixMilli(), envelopes); err != nil {
		fmt.Println(err)
		return
	}
	second := batch.Append(nil, 1)
	fmt.Println("length of the proof:", len(second))

	v := link.NewVerifier()
	fmt.Println("as it was:", v.Verify(envelopes[1], second, signer.Public()))
	envelopes[1][40] ^= 1
	fmt.Println("one bit changed:", v.Verify(envelopes[1], second, signer.Public()))
	// Output:
	// length of the proof: 110
	// as it was: <nil>
	// one bit changed: signature does not hold
}

// What a record of a journal proves, offline: who said it, when, and which
// bytes.
func ExampleVerifier_Verify() {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	signer, _ := link.NewSigner(key, "XX/GOV/TWO")
	head := []byte("200\r\ncontent-type:text/plain\r\n")
	f := link.Fields{Kind: link.KindResponse, Alg: link.Ed25519, Key: signer.Public().ID(), Created: time.UnixMilli(1_772_452_800_000),
		Valid: 30 * time.Second, Status: 200, Head: sha512.Sum512(head), Body: sha512.Sum512([]byte("yes"))}
	e := f.Make()
	signature, _ := link.AppendSingle(nil, signer, e)

	err := link.NewVerifier().Verify(e, signature, signer.Public())
	fmt.Println(signer.Public().Member(), e.Created().UTC().Format(time.RFC3339), err)
	fmt.Println("the head is the one:", link.Digest(sha512.Sum512(head)) == *e.HeadDigest())
	// Output:
	// XX/GOV/TWO 2026-03-02T12:00:00Z <nil>
	// the head is the one: true
}

// The hash that the X-Road REST protocol gives to a message.
func ExampleMessageHash() {
	head := link.Digest(sha512.Sum512([]byte("GET /a\r\n")))
	fmt.Println("no body:", link.MessageHash(&head, &link.EmptyDigest) == head)
	body := link.Digest(sha512.Sum512([]byte("{}")))
	hash := link.MessageHash(&head, &body)
	fmt.Printf("with a body: %x…\n", hash[:4])
	// Output:
	// no body: true
	// with a body: 58862066…
}
