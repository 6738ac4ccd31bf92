package sms

import (
	"net/http/httptest"
	"strings"
	"testing"

	"diwan/examples/sms/gateway"
)

// The sample gateway takes what we send, once.
func TestSampleGatewayTakesIt(t *testing.T) {
	g := gateway.New("secret")
	server := httptest.NewServer(g)
	defer server.Close()
	s, err := NewGateway(server.URL+"/messages", "secret")
	if err != nil {
		t.Fatal(err)
	}
	m := Message{ID: "1", To: "+212600000001", Text: "Something new in your case."}
	for range 2 {
		if err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.Messages(); len(got) != 1 || got[0].To != m.To || got[0].Text != m.Text {
		t.Errorf("the gateway has %+v", got)
	}
	stranger, _ := NewGateway(server.URL+"/messages", "guess")
	for name, try := range map[string]func() error{
		"another token":  func() error { return stranger.Send(t.Context(), Message{ID: "2", To: m.To, Text: "x"}) },
		"no number":      func() error { return s.Send(t.Context(), Message{ID: "3", Text: "x"}) },
		"a wrong number": func() error { return s.Send(t.Context(), Message{ID: "4", To: "12", Text: "x"}) },
		"too long": func() error {
			return s.Send(t.Context(), Message{ID: "5", To: m.To, Text: strings.Repeat("x", MaxText+1)})
		},
	} {
		if try() == nil {
			t.Error(name, "was taken")
		}
	}
	if len(g.Messages()) != 1 {
		t.Error("a refused message was kept")
	}
	if _, err := NewGateway("ftp://x", ""); err == nil {
		t.Error("an address of another kind was taken")
	}
}
