package cosecode_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"diwan/protocol/cosecode"
)

// What a document says is put into the text of a QR code and read from it.
func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	text, err := cosecode.Encode(key, []byte("key one"), &cosecode.Document{
		Issuer: "https://issuer.example", Type: "permit", Number: "2026-17", IssuedAt: now, Expires: now.AddDate(1, 0, 0),
		Claims: map[string]any{"floors": int64(3), "decided": cosecode.Date("2026-02-27")},
	})
	if err != nil {
		log.Fatal(err)
	}
	want := cosecode.Want{Key: func(kid []byte, issuer string) (crypto.PublicKey, error) {
		if string(kid) != "key one" || issuer != "https://issuer.example" {
			return nil, errors.New("an unknown issuer")
		}
		return key.Public(), nil
	}}
	d, err := cosecode.Decode(text, want, now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Number, d.Claims["decided"], d.Claims["floors"])
	_, err = cosecode.Decode(strings.Replace(text, ":", ":0", 1), want, now)
	fmt.Println(errors.Is(err, cosecode.ErrForm))
	_, err = cosecode.Decode(text, want, now.AddDate(2, 0, 0))
	fmt.Println(errors.Is(err, cosecode.ErrExpired))
	// Output:
	// 2026-17 2026-02-27 3
	// true
	// true
}
