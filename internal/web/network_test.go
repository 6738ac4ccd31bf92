package web

import "testing"

// Whoever has a whole IPv6 network is one address to the limit.
func TestNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:1234":           "192.0.2.7",
		"[::ffff:192.0.2.7]:1":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:1": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:2": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:3":         "fe80::/64",
		"@":                        "@",
	} {
		if got := network(remote); got != want {
			t.Errorf("network(%q) = %q, want %q", remote, got, want)
		}
	}
}
