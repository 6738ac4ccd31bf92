package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/exchange"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
)

// Sizes of the simulated country.
const (
	simMembers  = 2000
	simServices = 5 // of each member
)

// exchangeScale enrols 2,000 members with 10,000 services as their gateways would,
// and measures the directory: its size, how fast a change is out, what a gateway
// keeps in memory.
func exchangeScale(ctx context.Context, b *bench) error {
	dir := filepath.Join(b.work, "scale")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(dir, "scale.db"))
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.Migrate(ctx, []db.Migrations{audit.Migrations(), exchange.Migrations()}, time.Now()); err != nil {
		return err
	}
	authority, aerr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	directory, derr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(aerr, derr); err != nil {
		return err
	}
	x, err := exchange.New(ctx, d, audit.New(d, gov.SystemClock{}), gov.SystemClock{}, exchange.Settings{Instance: "XX", ValidHours: 168, Classes: []exchange.MemberClass{{Code: "GOV"}}},
		exchange.Keys{Authority: authority, Directory: directory}, errorsOnly)
	if err != nil {
		return err
	}
	start := time.Now()
	for i := range simMembers {
		if err := simulateMember(ctx, x, i); err != nil {
			return fmt.Errorf("member %d: %w", i, err)
		}
	}
	fmt.Printf("enrolling %d members with %d services each: %.1f s\n", simMembers, simServices, time.Since(start).Seconds())
	return b.measureDirectory(ctx, x, filepath.Join(dir, "gateway"), directory)
}

// simulateMember does what a person and a gateway do when a member joins.
func simulateMember(ctx context.Context, x *exchange.Exchange, i int) error {
	operator := gov.Actor{ID: "bench"}
	id := fmt.Sprintf("XX/GOV/M%04d", i)
	name := gov.Text{"ar": fmt.Sprintf("administration %d", i), "fr": fmt.Sprintf("administration %d", i)}
	if err := x.AddMember(ctx, operator, exchange.Member{ID: id, Name: name}); err != nil {
		return err
	}
	invitation, err := x.Invite(ctx, operator, id, "node-1", "https://directory.example")
	if err != nil {
		return err
	}
	e, err := simulateKeys(invitation.Token)
	if err != nil {
		return err
	}
	if _, err := x.Enrol(ctx, e); err != nil {
		return err
	}
	if err := x.SetSubsystem(ctx, operator, id, "MAIN", name); err != nil {
		return err
	}
	for s := range simServices {
		o := exchange.Offer{Type: "OPENAPI", Title: map[string]string{"fr": fmt.Sprintf("service %d of %d", s, i)}, Classification: "personal", LegalBasis: []string{"/akn/xx/act/loi/2020/1#art_1"},
			OpenAPI: fmt.Sprintf(`{"openapi":"3.0.3","info":{"title":"s%d-%d","version":"1"},"paths":{"/v1/items/{id}":{"get":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"one"}}}},"/v1/items":{"get":{"responses":{"200":{"description":"all"}}},"post":{"responses":{"201":{"description":"new"}}}}}}`, i, s)}
		if err := x.SetService(ctx, operator, id, "MAIN", fmt.Sprintf("s%d", s), o); err != nil {
			return err
		}
	}
	return nil
}

func simulateKeys(token string) (exchange.Enrolment, error) {
	var none exchange.Enrolment
	pub, link, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return none, err
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return none, err
	}
	proof, err := pki.ProveKey(link, token)
	if err != nil {
		return none, err
	}
	requests := make([][]byte, 2)
	for i := range requests {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return none, err
		}
		if requests[i], err = pki.NewRequest(key); err != nil {
			return none, err
		}
	}
	return exchange.Enrolment{Token: token, Node: "node-1", Addresses: []string{"gateway.example:5500"}, TLSRequest: requests[0], MemberRequest: requests[1], LinkKey: der, LinkProof: proof}, nil
}

// near is a directory without a network, which counts what is fetched.
type near struct {
	x     *exchange.Exchange
	bytes int
}

// Index implements snapshot.Source.
func (n *near) Index(ctx context.Context, have string) ([]byte, error) {
	signed, print, err := n.x.Index(ctx)
	if err != nil || print == have {
		return nil, err
	}
	n.bytes += len(signed)
	return signed, nil
}

// Part implements snapshot.Source.
func (n *near) Part(ctx context.Context, hash string) ([]byte, error) {
	b, err := n.x.Part(ctx, hash)
	n.bytes += len(b)
	return b, err
}

func (b *bench) measureDirectory(ctx context.Context, x *exchange.Exchange, dir string, key *ecdsa.PrivateKey) error {
	start := time.Now()
	signed, _, err := x.Index(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("the index: %.0f kB (%.0f kB compressed), made and signed in %.0f ms\n", float64(len(signed))/1e3, float64(compressed(signed))/1e3, float64(time.Since(start).Milliseconds()))
	trusted, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	before := heapInUse()
	keeper, err := snapshot.NewKeeper(dir, "XX", [][]byte{trusted}, time.Minute)
	if err != nil {
		return err
	}
	source := &near{x: x}
	start = time.Now()
	if _, err := keeper.Update(ctx, source, time.Now()); err != nil {
		return err
	}
	first := time.Since(start)
	memory := float64(heapInUse()-before) / 1e6
	fmt.Printf("a new gateway fetches %.1f MB in %.1f s and keeps it in %.1f MB of memory\n", float64(source.bytes)/1e6, first.Seconds(), memory)
	source.bytes = 0
	time.Sleep(2 * time.Second) // the directory answers from memory for a second
	if err := x.AddMember(ctx, gov.Actor{ID: "bench"}, exchange.Member{ID: "XX/GOV/LATE", Name: gov.Text{"fr": "late"}}); err != nil {
		return err
	}
	start = time.Now()
	if changed, err := keeper.Update(ctx, source, time.Now()); err != nil || !changed {
		return fmt.Errorf("the change is not out: %w", err)
	}
	change := time.Since(start)
	fmt.Printf("one change: the directory signs it and a gateway has it in %.0f ms, %.0f kB fetched\n", float64(change.Milliseconds()), float64(source.bytes)/1e3)
	if keeper.View().Members["XX/GOV/LATE"] == nil {
		return errors.New("the new member is not in the view")
	}
	b.atMost("directory_index_kb", float64(compressed(signed))/1e3, 500)
	b.atMost("directory_memory_mb", memory, 60)
	b.atMost("directory_change_seconds", change.Seconds(), 2)
	return nil
}

func compressed(p []byte) int {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(p)
	w.Close()
	return out.Len()
}

// heapInUse is what the program holds after what is not needed was given back.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
