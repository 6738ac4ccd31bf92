// Package outbound keeps the program from reaching what is not public when a stranger
// names the address: a webhook, a status list, an offer. Otherwise anybody could have it
// knock at doors inside the network of whoever runs it.
package outbound

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate is an address that may not be reached.
var ErrPrivate = errors.New("the address is not public")

// Control returns what a net.Dialer asks before it connects: only addresses that good
// accepts. The address is looked at when it was resolved and just before it is used, so
// that a name which changes its mind in between gains nothing.
func Control(good func(netip.Addr) bool) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !good(to.Addr().Unmap()) {
			return ErrPrivate
		}
		return nil
	}
}

// Dialer reaches public addresses and those of the networks that are allowed; with
// anywhere it reaches every address, for a demonstration on one machine.
func Dialer(wait time.Duration, allowed []netip.Prefix, anywhere bool) *net.Dialer {
	return &net.Dialer{Timeout: wait, Control: Control(func(a netip.Addr) bool { return anywhere || Public(a, allowed) })}
}

// Public tells whether an address is public or lies in a network that is allowed.
func Public(a netip.Addr, allowed []netip.Prefix) bool {
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

// special are networks that are neither private nor public (RFC 6890), and those that
// carry another address within theirs.
var special = func() (out []netip.Prefix) {
	for _, s := range []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "::/96", "3fff::/20", "5f00::/16", "fec0::/10"} {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()
