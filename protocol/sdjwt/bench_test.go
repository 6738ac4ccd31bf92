package sdjwt

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
)

func BenchmarkIssue(b *testing.B) {
	key := newKey(b)
	i := issuance(b, key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Issue(key, i); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	key, holder := newKey(b), newKey(b)
	token := issue(b, key, issuance(b, holder))
	compact, err := token.Bind(holder, Proof{Audience: "v", Nonce: "n", IssuedAt: now})
	if err != nil {
		b.Fatal(err)
	}
	p := Policy{Key: issuedBy(key.Public()), Now: now, Binding: &Binding{Audience: "v", Nonce: "n"}}
	b.ReportAllocs()
	for b.Loop() {
		t, err := Parse(compact, jws.Want{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := t.Verify(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPresent(b *testing.B) {
	key, holder := newKey(b), newKey(b)
	token := issue(b, key, issuance(b, holder))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := token.Present(claimpath.Path{"family_name"}, claimpath.Path{"birthdate"}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareVerify is the cryptography of BenchmarkVerify alone.
func BenchmarkBareVerify(b *testing.B) {
	key := newKey(b)
	sum := sha256.Sum256([]byte("x"))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range 2 {
			if !ecdsa.VerifyASN1(&key.PublicKey, sum[:], sig) {
				b.Fatal("wrong")
			}
		}
	}
}

// BenchmarkBareIssue is the cryptography of BenchmarkIssue alone.
func BenchmarkBareIssue(b *testing.B) {
	key := newKey(b)
	sum := sha256.Sum256([]byte("x"))
	for b.Loop() {
		if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}
