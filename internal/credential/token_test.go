package credential

import (
	"strings"
	"testing"
	"time"
)

// Keys of tokens stand in the order in which tokens were made; a token with another's
// time, or with none, has a key that nothing has.
func TestKeysOfTokensAreInOrder(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	first, second := newToken(at), newToken(at.Add(time.Second))
	if !(tokenKey(first) < tokenKey(second)) || newToken(at) == first {
		t.Errorf("%s, %s", tokenKey(first), tokenKey(second))
	}
	_, secret, _ := strings.Cut(first, ".")
	seen := map[string]bool{tokenKey(first): true}
	for _, other := range []string{second[:stampLength] + "." + secret, secret, "." + secret, first + ".", "0." + secret, strings.ToUpper(first), ""} {
		if seen[tokenKey(other)] {
			t.Errorf("%q has a key that another has", other)
		}
		seen[tokenKey(other)] = true
	}
	if strings.Contains(tokenKey(first), secret) {
		t.Error("the key holds the secret")
	}
}
