package xroad

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// The two heads and hashes were computed apart from this code.
func TestRequestHashVectors(t *testing.T) {
	for _, c := range []struct {
		head, body, hash string
		size             int
	}{
		{"GET\r\n/r1/MA/GOV/INTERIOR/CIVIL/births/v1/acts/42\r\nX-Road-Client:MA/GOV/JUSTICE/COURTS\r\nX-Road-Id:req-0002\r\n" +
			"x-road-request-id:7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5c\r\n", "",
			"gzNnNMzFTQYazO61+vPZQp16ypuz8pxHy8EUqfRVdxr6Ap550A7H15N3m8e351ah2t+7CMS6/D1ONSt+ha4/Rg==", 163},
		{"POST\r\n/r1/MA/GOV/INTERIOR/CIVIL/births/v1/acts?lang=ar\r\nX-Road-Client:MA/GOV/JUSTICE/COURTS\r\n" +
			"Content-Type:application/json\r\nX-Road-Id:req-0001\r\nx-road-request-id:7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b\r\n",
			`{"cin":"AB123456"}`,
			"6B+FONhomp1Vv1ctdxf1X5n59nrJxQ5GsfdamyV33bPaLIhcYc6TZ4yPkQjoIta2ajBv3jogD26ItdXTdcuuEg==", 200},
	} {
		if len(c.head) != c.size {
			t.Errorf("the head has %d bytes, want %d", len(c.head), c.size)
		}
		if got := HashRequest([]byte(c.head), []byte(c.body)); got != c.hash {
			t.Errorf("hash %s, want %s", got, c.hash)
		}
		if _, err := ParseRequestHead([]byte(c.head)); err != nil {
			t.Error(err)
		}
	}
}

func TestRequestHead(t *testing.T) {
	fields, err := FilterRequest(map[string][]string{
		"X-Road-Client": {"MA/GOV/OTHER/X", " MA/GOV/JUSTICE/COURTS\t"}, "X-Road-Userid": {"MA1", "MA2"},
		"Accept": {"text/html", "application/json"}, "x-custom": {"b"}, "X-Custom": {"a", ""}, "X-Road-Other": {"passes"},
		"X-Road-Request-Id": {"forged"}, "X-Road-Request-Hash": {"forged"}, "User-Agent": {"curl"}, "Host": {"h"}, "Connection": {"close"},
		"Content-Length": {"4"}, "Expect": {"100-continue"}, "Te": {"trailers"}, "Trailer": {"X"}, "Transfer-Encoding": {"chunked"},
		"Upgrade": {"h2c"}, "Keep-Alive": {"1"}, "Proxy-Authenticate": {"x"}, "Proxy-Authorization": {"x"}, "Server": {"x"}, "Authorization": {"Bearer x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := AppendRequestHead(nil, "GET", "/r1/MA/GOV/INTERIOR/CIVIL/births?a;b", fields, "req-1", "MA-1")
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseRequestHead(head)
	if err != nil {
		t.Fatal(err)
	}
	var custom []string
	for _, f := range h.Fields {
		if f.Name == "X-Custom" {
			custom = append(custom, f.Value)
		}
	}
	if len(custom) != 3 {
		t.Errorf("custom values %q", custom)
	}
	fixed := strings.NewReplacer("X-Custom:b\r\n", "", "X-Custom:a\r\n", "", "X-Custom:\r\n", "").Replace(string(head))
	want := "GET\r\n/r1/MA/GOV/INTERIOR/CIVIL/births?a;b\r\nAccept:text/html\r\nAccept:application/json\r\nAuthorization:Bearer x\r\n" +
		"X-Road-Client:MA/GOV/JUSTICE/COURTS\r\nX-Road-Other:passes\r\nX-Road-Userid:MA2\r\nx-road-request-id:req-1\r\nx-road-id:MA-1\r\n"
	if fixed != want {
		t.Errorf("head\n%q, want\n%q", fixed, want)
	}
	if h.Method != "GET" || h.Target != "/r1/MA/GOV/INTERIOR/CIVIL/births?a;b" || h.RequestID() != "req-1" || h.Get("X-ROAD-ID") != "MA-1" {
		t.Errorf("read back %+v", h)
	}
	x, err := h.Headers()
	if err != nil || x.Client != (ClientID{"MA", "GOV", "JUSTICE", "COURTS"}) || x.ID != "MA-1" || x.UserID != "MA2" {
		t.Errorf("headers %+v %v", x, err)
	}
}

func TestFilterRequestRefuses(t *testing.T) {
	many := map[string][]string{"X-A": make([]string, MaxFields+1)}
	for _, h := range []map[string][]string{
		{"X-A": {"a\r\nX-Road-Client: MA/GOV/X/Y"}}, {"X-A": {"a\nb"}}, {"X-A": {"a\rb"}}, {"X-A": {"a\x00b"}}, {"X-A": {"a\r\n folded"}},
		{"X-A": {"\x7f"}}, {"X A": {"a"}}, {"X-A:": {"a"}}, {"": {"a"}}, {"X-\u00e9": {"a"}}, {"X-A\r\nB": {"c"}}, many,
		{"X_road_client": {"MA/GOV/X/Y"}}, {"X-Road_Client": {"MA/GOV/X/Y"}}, {"x.road.userid": {"a"}}, {"X_Road_Request_Hash": {"a"}}, {"X~Road~Error": {"a"}},
		{"Content_Length": {"5"}}, {"Transfer_Encoding": {"chunked"}}, {"HOST_": {"a"}, "Transfer!Encoding": {"chunked"}},
	} {
		if out, err := FilterRequest(h); err == nil {
			t.Errorf("%.80q passes as %.80q", h, out)
		}
	}
	big := []Field{{"X-A", strings.Repeat("a", MaxHead)}}
	if _, err := AppendRequestHead(nil, "GET", "/r1/x", big, "r", ""); err == nil {
		t.Error("an oversized head passes")
	}
	for _, m := range []string{"", "get", "CONNECT", "GET /", "G\r\nT"} {
		if _, err := AppendRequestHead(nil, m, "/r1/x", nil, "r", ""); err == nil {
			t.Errorf("the method %q passes", m)
		}
	}
}

func TestReadHeaders(t *testing.T) {
	ok := map[string][]string{"X-Road-Client": {"bad", "MA/GOV/M"}, "X-Road-Security-Server": {"MA/GOV/M/gw"}, "X-Road-Represented-Party": {"COM/1"}}
	h, err := ReadHeaders(ok)
	if err != nil || h.Client.Member != "M" || h.SecurityServer.Server != "gw" || h.RepresentedParty.Class != "COM" {
		t.Errorf("%+v %v", h, err)
	}
	for _, bad := range []map[string][]string{
		{}, {"X-Road-Client": {""}}, {"X-Road-Client": {"MA/GOV/M", "x"}}, {"X-Road-Client": {"MA/GOV/M"}, "X-Road-Security-Server": {"x"}},
		{"X-Road-Client": {"MA/GOV/M"}, "X-Road-Represented-Party": {"a/b/c"}}, {"X-Road-Client": {"MA/GOV/M"}, "X-Road-Id": {"a\rb"}},
		{"X-Road-Client": {"MA/GOV/M"}, "X-Road-Id": {strings.Repeat("a", MaxID+1)}}, {"X-Road-Client": {"MA/GOV/M"}, "X-Road-Userid": {"\xff"}},
	} {
		_, err := ReadHeaders(bad)
		if e := (*Error)(nil); !errors.As(err, &e) || e.Type.Status() != 500 {
			t.Errorf("%.60q: %v", bad, err)
		}
	}
}

func TestHostileRequestHeads(t *testing.T) {
	const good = "GET\r\n/r1/x\r\nX-Road-Client:MA/GOV/M\r\nX-Road-Id:1\r\nx-road-request-id:2\r\n"
	if _, err := ParseRequestHead([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "\r\n", "GET", "GET\r\n", "GET\r\n/r1/x", strings.TrimSuffix(good, "\n"), strings.TrimSuffix(good, "\r\n"), good + "\r\n", good + "\r\nGET / HTTP/1.1\r\n",
		strings.Replace(good, "GET", "CONNECT", 1), strings.Replace(good, "/r1/x", "r1", 1), strings.Replace(good, "/r1/x", "/r1/x HTTP/1.1", 1),
		strings.Replace(good, "\r\n", "\n", 1), strings.Replace(good, "\r\nX-Road-Id", "\nX-Road-Id", 1), strings.Replace(good, ":1", ":1\rX-A:b", 1),
		strings.Replace(good, ":1", ":1\r\n folded", 1), strings.Replace(good, ":1", ": 1", 1), strings.Replace(good, ":1", ":1 ", 1),
		strings.Replace(good, ":1", ":1\x00", 1), good + "X-A b\r\n", good + ":b\r\n", good + "X A:b\r\n", good + "X-A :b\r\n",
		good + "Transfer-Encoding:chunked\r\n", good + "content-length:3\r\n", good + "hOsT:evil\r\n", good + "Connection:X-Road-Client\r\n",
		good + "X_Road_Client:MA/GOV/N\r\n", good + "x-road_userid:1\r\n", good + "Content_Length:3\r\n", good + "X.Road.Service:x\r\n",
		good + "X-Road-Request-Hash:x\r\n", good + "x-road-client:MA/GOV/N\r\n", good + "x-road-id:3\r\n", good + "X-Road-Request-Id:3\r\n",
		strings.Replace(good, "X-Road-Id:1\r\n", "", 1), good + "X-A:" + strings.Repeat("a", MaxHead) + "\r\n",
		good + strings.Repeat("X-A:b\r\n", MaxFields), good + strings.Repeat("a", maxName+1) + ":b\r\n",
	} {
		if h, err := ParseRequestHead([]byte(bad)); !errors.Is(err, ErrHead) {
			t.Errorf("%.120q passes as %+v", bad, h)
		}
	}
}

func stampOf(hash string) Stamp {
	return Stamp{ClientID{"MA", "GOV", "A/B", "C"}, ServiceID{ClientID{"MA", "GOV", "I", "S"}, "svc"}, "id-1", "req-1", hash}
}

func TestResponseHead(t *testing.T) {
	fields := FilterResponse([]Field{
		{"date", "Mon, 01 Jan 2024 00:00:00 GMT"}, {"Date", "Tue, 02 Jan 2024 00:00:00 GMT"}, {"content-type", "text/plain"}, {"Set-Cookie", "a=1"},
		{"Set-Cookie", "b=2"}, {"Location", "http://elsewhere/"}, {"x-road-service", "forged"}, {"X-Road-Client", "forged"}, {"X-Road-Error", "forged"},
		{"x-road-id", "forged"}, {"x-road-request-id", "forged"}, {"x-road-request-hash", "forged"}, {"Server", "x"}, {"Content-Length", "3"}, {"X-Road-Other", "passes"},
		{"X_Road_Error", "forged"}, {"Content_Length", "3"},
	})
	head, err := AppendResponseHead(nil, 302, fields, stampOf("h"), "unused")
	if err != nil {
		t.Fatal(err)
	}
	want := "302\r\nDate:Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type:text/plain\r\nSet-Cookie:a=1\r\nSet-Cookie:b=2\r\nLocation:http://elsewhere/\r\n" +
		"X-Road-Other:passes\r\nX-Road-Client:MA/GOV/A%2FB/C\r\nX-Road-Service:MA/GOV/I/S/svc\r\nX-Road-Id:id-1\r\nX-Road-Request-Id:req-1\r\nX-Road-Request-Hash:h\r\n"
	if string(head) != want {
		t.Errorf("head\n%q, want\n%q", head, want)
	}
	h, err := ParseResponseHead(head)
	if err != nil || h.Status != 302 {
		t.Fatalf("%+v %v", h, err)
	}
	if err := h.Check(stampOf("h")); err != nil {
		t.Error(err)
	}
	other := stampOf("h")
	other.Client.Subsystem = "D"
	for _, s := range []Stamp{stampOf("g"), other, {}} {
		if e := (*Error)(nil); !errors.As(h.Check(s), &e) || e.Type != (Type{AtConsumer, InconsistentResponse}) {
			t.Errorf("%+v is taken for the same", s)
		}
	}
	dated, _ := AppendResponseHead(nil, 200, nil, stampOf("h"), "now")
	if !bytes.Contains(dated, []byte("Date:now\r\n")) {
		t.Error("no date added")
	}
	for _, status := range []int{0, 100, 199, 600} {
		if _, err := AppendResponseHead(nil, status, nil, stampOf("h"), ""); err == nil {
			t.Errorf("status %d passes", status)
		}
	}
	if _, err := AppendResponseHead(nil, 200, []Field{{"X", "a\r\nb"}}, stampOf("h"), ""); err == nil {
		t.Error("a split value passes")
	}
	for _, bad := range []string{
		"", "200", strings.Replace(want, "302", "+02", 1), strings.Replace(want, "302", "100", 1), want + "Date:x\r\n", want + "x-road-error:x\r\n",
		want + "X-Road-Id:2\r\n", want + "Content-Length:1\r\n", want + "X_Road_Error:x\r\n", strings.Replace(want, "X-Road-Service:MA/GOV/I/S/svc\r\n", "", 1), want + "\r\n",
	} {
		if _, err := ParseResponseHead([]byte(bad)); !errors.Is(err, ErrHead) {
			t.Errorf("%.80q passes", bad)
		}
	}
}

func FuzzRequestHead(f *testing.F) {
	f.Add([]byte("GET\r\n/r1/x\r\nX-Road-Client:MA/GOV/M\r\nX-Road-Id:1\r\nx-road-request-id:2\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseRequestHead(b)
		if err != nil {
			return
		}
		var again []byte
		again = append(again, h.Method+"\r\n"+h.Target+"\r\n"...)
		for _, f := range h.Fields {
			again = appendField(again, f.Name, f.Value)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%q became %q", b, again)
		}
		_, _ = h.Headers()
	})
}

func FuzzResponseHead(f *testing.F) {
	head, _ := AppendResponseHead(nil, 200, nil, stampOf("h"), "now")
	f.Add(head)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseResponseHead(b)
		if err != nil {
			return
		}
		again := fmt.Appendf(nil, "%d\r\n", h.Status)
		for _, f := range h.Fields {
			again = appendField(again, f.Name, f.Value)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("%q became %q", b, again)
		}
	})
}

func FuzzFilterRequest(f *testing.F) {
	f.Add("X-Road-Client", "MA/GOV/M", "Accept", "a\tb")
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string) {
		fields, err := FilterRequest(map[string][]string{n1: {v1}, n2: {v2}, "X-Road-Client": {"MA/GOV/M"}, "X-Road-Id": {"1"}})
		if err != nil {
			return
		}
		head, err := AppendRequestHead(nil, "GET", "/r1/x", fields, "r", "")
		if err != nil {
			return
		}
		h, err := ParseRequestHead(head)
		if err != nil {
			// Only a second spelling of a header of ours may be refused here.
			for _, n := range []string{n1, n2} {
				if strings.EqualFold(n, "x-road-client") || strings.EqualFold(n, "x-road-id") {
					return
				}
			}
			t.Fatalf("%q: %v", head, err)
		}
		if !reflect.DeepEqual(h.Fields[:len(fields)], fields) {
			t.Fatalf("%q became %q", fields, h.Fields)
		}
	})
}
