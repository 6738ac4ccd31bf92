package check

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate is an address that may not be reached.
var ErrPrivate = errors.New("the address is not public")

// Transport reaches public addresses and those of the networks that are allowed; with
// anywhere it reaches every address, for a demonstration on one machine. The address is
// looked at when it is known and just before it is used: a name that changes its mind in
// between gains nothing.
func Transport(allowed []netip.Prefix, anywhere bool) http.RoundTripper {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		if anywhere {
			return nil
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil || !reachable(to.Addr().Unmap(), allowed) {
			return ErrPrivate
		}
		return nil
	}}
	// No proxy from the environment: it would be asked in the place of the address.
	return &http.Transport{DialContext: d.DialContext, MaxIdleConns: 8, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: fetchTimeout, MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true}
}

// special are networks that are neither private nor public (RFC 6890).
var special = func() (out []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "::/96", "3fff::/20", "5f00::/16", "fec0::/10"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

func reachable(a netip.Addr, allowed []netip.Prefix) bool {
	for _, p := range allowed {
		if p.Contains(a) {
			return true
		}
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
