package gateway

import (
	"crypto/sha512"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"diwan/protocol/httpsig"
	"diwan/protocol/link"
)

// The second profile refuses what the link refuses.
func TestSecondProfileAttacks(t *testing.T) {
	listen := freePort(t)
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		p.civil.HTTP = HTTPConfig{Listen: listen, Address: "https://" + listen}
	})
	client := p.asks.httpPeers.of(p.asks.Gateway, civil)
	type message struct {
		method, target, body string
		head                 func(id string) string
		change               func(*http.Request)
		at                   time.Duration
	}
	send := func(m message) (*http.Request, string) {
		id := uuid(link.NewRequestID())
		req, err := http.NewRequest(m.method, "https://"+listen, strings.NewReader(m.body))
		p.ok(err)
		req.URL.Opaque = m.target
		_, err = httpsig.SignExchangeRequest(httpsig.FromRequest(req), httpsig.Outgoing{Signer: p.asks.httpSigner(), Head: []byte(m.head(id)), BodySum: sha512.Sum512([]byte(m.body)), Now: p.clock.Now().Add(m.at)})
		p.ok(err)
		if m.change != nil {
			m.change(req)
		}
		resp, err := client.Do(req)
		p.ok(err)
		resp.Body.Close()
		if resp.StatusCode == 200 {
			return req, "ok"
		}
		return req, resp.Header.Get("X-Road-Error")
	}
	head := func(method, target, client string) func(string) string {
		return func(id string) string {
			return method + "\r\n" + target + "\r\nX-Road-Client:" + client + "\r\nX-Road-Id:1\r\nx-road-request-id:" + id + "\r\n"
		}
	}
	target := r1("/acts/1")
	for what, k := range map[string]struct {
		m    message
		want string
	}{
		"as it should be":         {message{"GET", target, "", head("GET", target, desk), nil, 0}, "ok"},
		"another body":            {message{"GET", target, "a", head("GET", target, desk), func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("b")) }, 0}, "inconsistent_message"},
		"another target":          {message{"GET", r1("/acts/2"), "", head("GET", target, desk), nil, 0}, "invalid_request"},
		"another method":          {message{"GET", target, "", head("DELETE", target, desk), nil, 0}, "invalid_request"},
		"another member's client": {message{"GET", target, "", head("GET", target, civil+"/REGISTRY"), nil, 0}, typeForged},
		"another head":            {message{"GET", target, "", head("GET", target, desk), func(r *http.Request) { r.Header.Set("Diwan-Head", ":R0VU:") }, 0}, "invalid_signature_value"},
		"no signature":            {message{"GET", target, "", head("GET", target, desk), func(r *http.Request) { r.Header.Del("Signature") }, 0}, "invalid_signature_value"},
		"too old":                 {message{"GET", target, "", head("GET", target, desk), nil, -5 * time.Minute}, "expired"},
		"of the future":           {message{"GET", target, "", head("GET", target, desk), nil, 5 * time.Minute}, "expired"},
		"no head lines":           {message{"GET", target, "", func(string) string { return "x" }, nil, 0}, "invalid_request"},
	} {
		const refusal = "a message of the second profile was refused"
		before := strings.Count(p.lines.String(), refusal)
		if _, got := send(k.m); got != k.want {
			t.Errorf("%s: %q, want %q", what, got, k.want)
		}
		if after := strings.Count(p.lines.String(), refusal); (after > before) != (k.want != "ok") {
			t.Errorf("%s: %d lines of the log", what, after-before)
		}
	}
	req, _ := send(message{"GET", target, "", head("GET", target, desk), nil, 0})
	again := func() string {
		r := req.Clone(t.Context())
		resp, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		resp.Body.Close()
		return resp.Header.Get("X-Road-Error")
	}
	if got := again(); got != "replayed" {
		t.Errorf("the same again: %q", got)
	}
	p.answers.end()
	p.answers = p.start(p.civil)
	if got := again(); got != "replayed" {
		t.Errorf("the same after a restart: %q", got)
	}
	// TLS proves one member, the signature another.
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: p.answers.clientTLS()}}
	resp, err := stranger.Do(req.Clone(t.Context()))
	p.ok(err)
	resp.Body.Close()
	if got := resp.Header.Get("X-Road-Error"); got != "unknown_member" {
		t.Errorf("another member's connection: %q", got)
	}
	nobody := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := nobody.Do(req.Clone(t.Context())); err == nil {
		resp.Body.Close()
		t.Error("nobody's connection was taken")
	}
}

// A key signs in its time alone, on the link and in the second profile.
func TestKeysOutsideTheirTime(t *testing.T) {
	p := newPair(t, acts(t), nil)
	id := p.asks.signer.Public().ID()
	k, ok := p.answers.trust.Load().view.Key(id)
	if !ok || !k.NotBefore.Before(k.NotAfter) {
		t.Fatalf("%+v", k)
	}
	for at, good := range map[time.Time]bool{k.NotBefore.Add(-time.Second): false, k.NotBefore: true, k.NotAfter.Add(-time.Second): true, k.NotAfter: false} {
		_, err := linkKeys{p.answers.Gateway}.Key(id, at)
		_, err2 := p.answers.HTTPKey(id, at)
		for _, err := range []error{err, err2} {
			if good != (err == nil) || err != nil && !errors.Is(err, link.ErrUnknownKey) {
				t.Errorf("at %s of %s to %s: %v", at, k.NotBefore, k.NotAfter, err)
			}
		}
	}
}

// Of several who bring one nonce at once, one is believed.
func TestOneNonceAtOnce(t *testing.T) {
	n := &nonces{now: time.Now, m: map[string]time.Time{}}
	var taken atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if ok, err := n.Record(t.Context(), "key", "nonce", time.Now().Add(time.Minute)); ok && err == nil {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 {
		t.Errorf("%d were believed", taken.Load())
	}
}
