package jwe_test

import (
	"fmt"

	"diwan/protocol/openid4/jwe"
)

func Example() {
	key, err := jwe.NewKey()
	if err != nil {
		fmt.Println(err)
		return
	}
	public := key.Public() // sent to whoever is to answer
	message, err := jwe.Seal([]byte(`{"vp_token":{}}`), &public, jwe.A256GCM, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	plain, err := key.Open(message, jwe.Allow{})
	fmt.Println(string(plain), err)
	// Output: {"vp_token":{}} <nil>
}
