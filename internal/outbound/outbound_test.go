package outbound

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestPublic(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "2600::1": true, "10.1.2.3": true,
		"10.2.0.1": false, "127.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "198.18.0.1": false, "192.0.2.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd00::1": false, "fec0::1": false, "5f00::1": false,
		"64:ff9b::a00:1": false, "2002:0a00:0001::": false, "::10.0.0.1": false,
	} {
		if got := Public(netip.MustParseAddr(address), inside); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestDialer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, c := range map[string]struct {
		allowed  []netip.Prefix
		anywhere bool
		err      error
	}{
		"this machine": {nil, false, ErrPrivate},
		"allowed":      {here, false, nil},
		"anywhere":     {nil, true, nil},
	} {
		conn, err := Dialer(time.Minute, c.allowed, c.anywhere).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
}
