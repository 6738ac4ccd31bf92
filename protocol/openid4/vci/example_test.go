package vci_test

import (
	"fmt"

	"diwan/protocol/openid4/vci"
)

// A wallet opens a link with an offer.
func ExampleParseLink() {
	offer, address, err := vci.ParseLink("openid-credential-offer://?credential_offer=" +
		"%7B%22credential_issuer%22%3A%22https%3A%2F%2Fissuer.example.com%22%2C%22credential_configuration_ids%22%3A%5B%22permit%22%5D%2C" +
		"%22grants%22%3A%7B%22urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code%22%3A%7B%22pre-authorized_code%22%3A%22abc%22%2C%22tx_code%22%3A%7B%7D%7D%7D%7D")
	if err != nil || address != "" {
		fmt.Println(address, err)
		return
	}
	fmt.Println(offer.Issuer, offer.Configurations)
	fmt.Println("a code is asked for:", offer.PreAuthorized().TxCode != nil)
	// Output:
	// https://issuer.example.com [permit]
	// a code is asked for: true
}
