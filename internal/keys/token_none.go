//go:build !pkcs11

package keys

import (
	"errors"

	"diwan/internal/gov"
)

// HasToken tells whether this build can use keys in a hardware token.
const HasToken = false

// Token is a store whose keys are in a PKCS#11 token. This build knows none: it is made
// without a C compiler; build with the tag pkcs11 for one that does.
type Token struct{}

// OpenToken always fails in this build.
func OpenToken(string, string, string, gov.Clock) (*Token, error) {
	return nil, errors.New("this build can't use a PKCS#11 token: build the program with CGO_ENABLED=1 and -tags pkcs11")
}

// Close does nothing.
func (*Token) Close() error { return nil }

// Signer always fails.
func (*Token) Signer(string) (*Key, error) { return nil, errors.New("there is no token") }

// Rotate always fails.
func (*Token) Rotate(string) (*Key, error) { return nil, errors.New("there is no token") }
