package mdoc

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

// The reference beside each figure: the same signatures without anything around them.
func BenchmarkSignOnly(b *testing.B) {
	p := newParty(b)
	sum := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := ecdsa.SignASN1(rand.Reader, p.issuer, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyTwoOnly(b *testing.B) {
	p := newParty(b)
	sum := sha256.Sum256(nil)
	sig, err := ecdsa.SignASN1(rand.Reader, p.issuer, sum[:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range 2 {
			if !ecdsa.VerifyASN1(&p.issuer.PublicKey, sum[:], sig) {
				b.Fatal("wrong")
			}
		}
	}
}

func BenchmarkIssue(b *testing.B) {
	p := newParty(b)
	in := p.issuance()
	for b.Loop() {
		if _, err := Issue(p.issuer, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPresent(b *testing.B) {
	p := newParty(b)
	in := p.parsed(b)
	for b.Loop() {
		if _, err := in.Present([]Name{{space, "birth_date"}}, p.device, p.session.Transcript); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	p := newParty(b)
	answer, err := p.parsed(b).Present([]Name{{space, "birth_date"}, {space, "portrait"}, {other, "points"}}, p.device, p.session.Transcript)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := ParseResponse(answer)
		if err == nil {
			_, err = r.Verify(p.want, p.session, now)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
