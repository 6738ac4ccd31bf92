package mail

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

func TestAddress(t *testing.T) {
	for in, ok := range map[string]bool{
		"reader@example.org": true, " reader@example.org ": true, "reader@localhost": false, "no address": false, "a@b.c, d@e.f": false,
		"a@b.c\r\nBcc: d@e.f": false, "Name <a@b.c>": false, "": false, strings.Repeat("a", 260) + "@b.c": false,
	} {
		if _, err := Address(in); (err == nil) != ok {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// A server that speaks the least of SMTP sees the headers that end a
// subscription with one request.
func TestServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		c.Write([]byte("220 here\r\n"))
		var data strings.Builder
		for in := false; ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch {
			case in && line == ".\r\n":
				in = false
				got <- data.String()
				c.Write([]byte("250 kept\r\n"))
			case in:
				data.WriteString(line)
			case strings.HasPrefix(line, "DATA"):
				in = true
				c.Write([]byte("354 go on\r\n"))
			case strings.HasPrefix(line, "QUIT"):
				c.Write([]byte("221 bye\r\n"))
				return
			default:
				c.Write([]byte("250 fine\r\n"))
			}
		}
	}()
	s := &Server{Host: l.Addr().String(), From: "law@example.org", Plain: true}
	m := Message{To: "reader@example.org", Subject: "Loi n\u00b0 1", Text: "texte", Unsubscribe: "https://example.org/stop?id=1", ID: "1@example.org", At: time.Unix(0, 0)}
	if err := s.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	mail := <-got
	for _, want := range []string{"List-Unsubscribe: <https://example.org/stop?id=1>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "Message-ID: <1@example.org>", "reader@example.org"} {
		if !strings.Contains(mail, want) {
			t.Errorf("the mail has no %q:\n%s", want, mail)
		}
	}
}

func TestCatcher(t *testing.T) {
	var c Catcher
	for range maxCaught + 5 {
		c.Send(t.Context(), Message{})
	}
	if n := len(c.Caught()); n != maxCaught {
		t.Errorf("it keeps %d messages", n)
	}
}

// No address that passes can end its header line or name a second recipient.
func FuzzAddress(f *testing.F) {
	f.Add("reader@example.org")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := Address(s); err == nil && (strings.ContainsAny(a, "\r\n,<> ") || strings.Count(a, "@") != 1 || len(a) > maxAddress) {
			t.Fatalf("%q passes as %q", s, a)
		}
	})
}
