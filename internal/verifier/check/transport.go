package check

import (
	"net/http"
	"net/netip"
	"time"

	"diwan/internal/outbound"
)

// Transport reaches public addresses and those of the networks that are allowed; with
// anywhere it reaches every address, for a demonstration on one machine.
func Transport(allowed []netip.Prefix, anywhere bool) http.RoundTripper {
	// No proxy from the environment: it would be asked in the place of the address.
	return &http.Transport{DialContext: outbound.Dialer(5*time.Second, allowed, anywhere).DialContext, MaxIdleConns: 8, TLSHandshakeTimeout: 5 * time.Second,
		ResponseHeaderTimeout: fetchTimeout, MaxResponseHeaderBytes: 32 << 10, ForceAttemptHTTP2: true}
}
