package xroad

import (
	"errors"
	"strings"
	"testing"
)

func TestClientID(t *testing.T) {
	for _, c := range []struct {
		wire    string
		want    ClientID
		encoded string // empty: the same as wire
		unusual bool
	}{
		{wire: "MA/GOV/JUSTICE/COURTS", want: ClientID{"MA", "GOV", "JUSTICE", "COURTS"}},
		{wire: "MA/GOV/JUSTICE", want: ClientID{"MA", "GOV", "JUSTICE", ""}},
		{wire: "MA/GOV/A%2FB/S", want: ClientID{"MA", "GOV", "A/B", "S"}, unusual: true},
		{wire: "MA/GOV/A%2fB/S", want: ClientID{"MA", "GOV", "A/B", "S"}, encoded: "MA/GOV/A%2FB/S", unusual: true},
		{wire: "MA/GOV/what%3F(a)/S", want: ClientID{"MA", "GOV", "what?(a)", "S"}},
		{wire: "MA/GOV/a+b/S", want: ClientID{"MA", "GOV", "a+b", "S"}},
		{wire: "MA/GOV/a b/S", want: ClientID{"MA", "GOV", "a b", "S"}, encoded: "MA/GOV/a%20b/S", unusual: true},
		{wire: "MA/GOV/%C3%A9/S", want: ClientID{"MA", "GOV", "\u00e9", "S"}, unusual: true},
		{wire: "MA/GOV/\u00e9/S", want: ClientID{"MA", "GOV", "\u00e9", "S"}, encoded: "MA/GOV/%C3%A9/S", unusual: true},
		{wire: "MA/GOV/%252F/S", want: ClientID{"MA", "GOV", "%2F", "S"}, unusual: true},
		{wire: "MA/GOV/M/..", want: ClientID{"MA", "GOV", "M", ".."}, unusual: true},
		{wire: "MA/GOV/M/my_service", want: ClientID{"MA", "GOV", "M", "my_service"}, unusual: true},
	} {
		got, err := ParseClientID(c.wire)
		if err != nil || got != c.want {
			t.Errorf("ParseClientID(%q) = %q, %v; want %q", c.wire, got, err, c.want)
			continue
		}
		if c.encoded == "" {
			c.encoded = c.wire
		}
		if got.Encoded() != c.encoded {
			t.Errorf("%q encoded = %q, want %q", c.wire, got.Encoded(), c.encoded)
		}
		if got.Unusual() != c.unusual {
			t.Errorf("%q unusual = %v", c.wire, got.Unusual())
		}
	}
}

func TestIdentifiersRefused(t *testing.T) {
	for _, wire := range []string{
		"", "/", "MA", "MA/GOV", "MA/GOV/M/S/X", "MA//M/S", "MA/GOV/M/", "/MA/GOV/M", "MA/GOV/M/%", "MA/GOV/M/%2", "MA/GOV/M/%zz",
		"MA/GOV/M/%00", "MA/GOV/M/%0d%0aX-Road-Id:1", "MA/GOV/M/a\nb", "MA/GOV/M/\x7f", "MA/GOV/M/%c2%85", "MA/GOV/M/%E2%80%A8",
		"MA/GOV/M/%c0%af",       // an overlong slash
		"MA/GOV/M/%ed%a0%80",    // half a surrogate pair
		"MA/GOV/M/%f4%90%80%80", // beyond Unicode
		"MA/GOV/M/\xff", "MA/GOV/M/" + strings.Repeat("a", MaxPart+1), strings.Repeat("a/", 1<<16), strings.Repeat("%41", 1<<16),
	} {
		if got, err := ParseClientID(wire); !errors.Is(err, ErrIdentifier) {
			t.Errorf("ParseClientID(%.60q) = %q, %v; want a refusal", wire, got, err)
		}
	}
	if _, err := ParseServiceID("MA/GOV/M/S"); !errors.Is(err, ErrIdentifier) {
		t.Error("a service of four parts passes")
	}
	if _, err := ParseServerID("MA/GOV/M"); !errors.Is(err, ErrIdentifier) {
		t.Error("a server of three parts passes")
	}
	if _, err := ParseParty("A/B/C"); !errors.Is(err, ErrIdentifier) {
		t.Error("a party of three parts passes")
	}
}

func TestRegistrable(t *testing.T) {
	provider := ClientID{"MA", "GOV", "M", "S"}
	for code, want := range map[string]bool{
		"births": true, "a'()+,-.=?9": true, "listMethods": false, "getOpenAPI": false, "allowedMethods": false,
		"a_b": false, "a/b": false, "": false, ".": false, "..": false, "\u00e9": false, strings.Repeat("a", 256): false,
	} {
		if err := (ServiceID{provider, code}).Registrable(); (err == nil) != want {
			t.Errorf("%.20q registrable: %v", code, err)
		}
	}
	if (ServiceID{ClientID{"MA", "GOV", "M", ""}, "births"}).Registrable() == nil {
		t.Error("a service without a subsystem can be registered")
	}
	if err := (ServerID{"MA", "GOV", "M", "gw1"}).Registrable(); err != nil {
		t.Error(err)
	}
}

func TestParty(t *testing.T) {
	for wire, want := range map[string]Party{"M": {"", "M"}, "COM/M": {"COM", "M"}, "COM/M%2F1": {"COM", "M/1"}} {
		if got, err := ParseParty(wire); err != nil || got != want || got.Encoded() != wire {
			t.Errorf("%q = %q %v", wire, got, err)
		}
	}
}

func FuzzIdentifier(f *testing.F) {
	f.Add("MA/GOV/JUSTICE/COURTS")
	f.Add("MA/GOV/A%2FB/S/svc")
	f.Fuzz(func(t *testing.T, wire string) {
		if id, err := ParseClientID(wire); err == nil {
			if again, err := ParseClientID(id.Encoded()); err != nil || again != id {
				t.Fatalf("%q: %q does not come back: %q %v", wire, id.Encoded(), again, err)
			}
			if strings.ContainsAny(id.Encoded(), "\r\n\x00 ?#") {
				t.Fatalf("%q encodes to %q", wire, id.Encoded())
			}
		}
		if id, err := ParseServiceID(wire); err == nil {
			if again, err := ParseServiceID(id.Encoded()); err != nil || again != id {
				t.Fatalf("%q does not come back", wire)
			}
		}
		_, _ = ParseServerID(wire)
		_, _ = ParseParty(wire)
	})
}
