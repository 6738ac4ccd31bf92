package xroad

import (
	"crypto/sha512"
	"testing"
)

// What the protocol costs a pair of gateways for one request and its answer,
// without network, signature and log.
func BenchmarkRequest(b *testing.B) {
	header := map[string][]string{"X-Road-Client": {"XX/GOV/JUSTICE/COURTS"}, "X-Road-Id": {"req-1"}, "Accept": {"application/json"},
		"User-Agent": {"curl"}, "Content-Type": {"application/json"}}
	rule, err := ParseGlob("/v1/acts/*")
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		t, err := ParseTarget("/r1/XX/GOV/INTERIOR/CIVIL/births/v1/acts/42?lang=fr")
		if err != nil {
			b.Fatal(err)
		}
		h, err := ReadHeaders(header)
		if err != nil {
			b.Fatal(err)
		}
		fields, err := FilterRequest(header)
		if err != nil {
			b.Fatal(err)
		}
		if buf, err = AppendRequestHead(buf[:0], "GET", t.Raw(), fields, "7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5c", ""); err != nil {
			b.Fatal(err)
		}
		got, err := ParseRequestHead(buf)
		if err != nil {
			b.Fatal(err)
		}
		path, err := ParsePath(t.ServicePath)
		if err != nil || !rule.Match(path) {
			b.Fatal(err)
		}
		stamp := Stamp{h.Client, t.Service, h.ID, got.RequestID(), RequestHash(sha512.Sum512(buf), nil)}
		if buf, err = AppendResponseHead(buf[:0], 200, fields[:1], stamp, "Mon, 01 Jan 2024 00:00:00 GMT"); err != nil {
			b.Fatal(err)
		}
		answer, err := ParseResponseHead(buf)
		if err != nil {
			b.Fatal(err)
		}
		if err := answer.Check(stamp); err != nil {
			b.Fatal(err)
		}
	}
}
