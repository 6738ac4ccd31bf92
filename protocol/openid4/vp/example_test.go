package vp_test

import (
	"fmt"

	"diwan/protocol/openid4/vp"
)

// A verifier shows a link, or the QR code of it, that leads to its signed request.
func ExampleLink() {
	link, err := vp.Link{ClientID: "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk", RequestURI: "https://bank.example/r/1", Method: vp.Post}.URL(vp.Scheme)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(link)
	opened, err := vp.ParseLink(link)
	fmt.Println(opened.RequestURI, err)
	// Output:
	// openid4vp://?client_id=x509_hash%3AUvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk&request_uri=https%3A%2F%2Fbank.example%2Fr%2F1&request_uri_method=post
	// https://bank.example/r/1 <nil>
}
