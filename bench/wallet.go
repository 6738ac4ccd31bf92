package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"diwan/protocol/statuslist"
)

// Sizes of a whole run and of one for trying.
var walletSizes = map[bool]struct{ issuances, many, presentations, gets int }{
	false: {20_000, 1_000_000, 20_000, 200_000},
	true:  {1_000, 20_000, 1_000, 10_000},
}

// Counts of signatures in one issuance without anything else: two DPoP proofs and the
// proof of the holder's key are verified, the copy is signed and, in the reference,
// the token too.
const (
	verifiedPerIssuance = 3
	signedPerIssuance   = 2
)

// walletSpeed measures issuing, presenting and status lists beside bare cryptography.
// -quick makes everything small.
func walletSpeed(ctx context.Context, b *bench) error {
	size := walletSizes[b.quick]
	w, err := newWalletWorld(ctx, filepath.Join(b.work, "wallet"))
	if err != nil {
		return err
	}
	defer w.close()
	// The first minutes of an installation, in which its files grow, are not its years.
	if _, err := w.issuances(ctx, size.issuances/5); err != nil {
		return err
	}
	before, err := w.issuing(ctx, size.issuances)
	if err != nil {
		return err
	}
	fmt.Printf("the cryptography of an issuance alone: %.0f a second; whole issuances: %.0f a second (token, nonce and credential answered after the disk has them)\n", before.crypto, before.rate)
	b.atLeast("issuance_to_crypto", before.ratio, 0.25)
	alone, whole, err := w.presentations(size.presentations)
	if err != nil {
		return err
	}
	fmt.Printf("the cryptography of a presentation alone: %.0f a second; verified: %.0f a second (10 disclosures, key binding)\n", alone, whole)
	b.atLeast("presentation_to_crypto", whole/alone, 0.5)
	if err := b.statusLists(ctx, w, size.gets); err != nil {
		return err
	}
	if err := w.fill(ctx, size.many); err != nil {
		return err
	}
	later, err := w.issuing(ctx, size.issuances)
	if err != nil {
		return err
	}
	fmt.Printf("after %d copies issued: %.0f a second beside %.0f\n", size.many, later.rate, later.crypto)
	b.atLeast("issuance_after_many_to_before", later.ratio/before.ratio, 0.9)
	return nil
}

// turnsOfIssuing is how often issuing and its cryptography alone take turns: what a
// shared machine gives changes from one second to the next.
const turnsOfIssuing = 10

// issuingSpeed is what was found in the turns, each the median.
type issuingSpeed struct{ crypto, rate, ratio float64 }

// issuing measures n issuances in turns with their cryptography alone.
func (w *walletWorld) issuing(ctx context.Context, n int) (issuingSpeed, error) {
	var crypto, rate, ratio []float64
	for range turnsOfIssuing {
		c := issuanceCrypto(time.Second / 2)
		r, err := w.issuances(ctx, n/turnsOfIssuing)
		if err != nil {
			return issuingSpeed{}, err
		}
		crypto, rate, ratio = append(crypto, c), append(rate, r), append(ratio, r/c)
	}
	return issuingSpeed{median(crypto), median(rate), median(ratio)}, nil
}

// issuanceCrypto is how many times a second all processors together do the signatures
// of an issuance and nothing else.
func issuanceCrypto(lasts time.Duration) float64 {
	return together(lasts, func() func() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256([]byte("x"))
		sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			panic(err)
		}
		return func() {
			for range verifiedPerIssuance {
				ecdsa.VerifyASN1(&key.PublicKey, sum[:], sig)
			}
			for range signedPerIssuance {
				if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
					panic(err)
				}
			}
		}
	})
}

// together runs a thing on every processor for a while and returns how often a second.
func together(lasts time.Duration, make func() func()) float64 {
	var all sync.WaitGroup
	var mu sync.Mutex
	total := 0
	begin := time.Now()
	for range runtime.GOMAXPROCS(0) {
		do := make()
		all.Go(func() {
			n := 0
			for time.Since(begin) < lasts {
				do()
				n++
			}
			mu.Lock()
			total += n
			mu.Unlock()
		})
	}
	all.Wait()
	return float64(total) / time.Since(begin).Seconds()
}

// statusLists measures how long a list of 2^20 entries takes to be made anew, and how
// fast it is served beside a handler that writes the same bytes.
func (b *bench) statusLists(ctx context.Context, w *walletWorld, gets int) error {
	l, err := statuslist.New(1<<20, 2)
	if err != nil {
		return err
	}
	places := mathrand.New(mathrand.NewPCG(1, 2)).Perm(1 << 20)
	for _, i := range places[:len(places)/100] {
		if err := l.Set(i, statuslist.Invalid); err != nil {
			return err
		}
	}
	var p statuslist.Packer
	best := time.Hour
	for range 5 {
		begin := time.Now()
		if _, err := p.Pack(l); err != nil {
			return err
		}
		best = min(best, time.Since(begin))
	}
	begin := time.Now()
	body, at, err := w.list(ctx)
	if err != nil {
		return err
	}
	rebuilt := time.Since(begin)
	fmt.Printf("a list of 2^20 entries, one in a hundred revoked: packed in %v; one of this installation read, packed and signed in %v\n", best, rebuilt)
	b.atMost("list_rebuild_seconds", max(best, rebuilt).Seconds(), 0.2)
	ours := serveRate(w.handler, at, gets)
	static := serveRate(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", statuslist.MediaJWT)
		_, _ = rw.Write(body)
	}), at, gets)
	fmt.Printf("the list is answered %.0f times a second, the same bytes by a static handler %.0f times\n", ours, static)
	b.atLeast("list_to_static", ours/static, 0.8)
	return nil
}

// serveRate is how many answers a second a server gives over the loopback, to as many
// clients as there are processors.
func serveRate(h http.Handler, path string, n int) float64 {
	s := httptest.NewServer(h)
	defer s.Close()
	var all sync.WaitGroup
	workers := 2 * runtime.GOMAXPROCS(0)
	begin := time.Now()
	for range workers {
		all.Go(func() {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			buf := make([]byte, 64<<10)
			for range n / workers {
				r, err := c.Get(s.URL + path)
				if err != nil {
					panic(err)
				}
				for {
					if _, err := r.Body.Read(buf); err != nil {
						break
					}
				}
				_ = r.Body.Close()
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds()
}
