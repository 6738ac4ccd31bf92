package xroad_test

import (
	"fmt"

	"diwan/protocol/xroad"
)

// A gateway reads a request, builds its head and computes the hash that the
// client gets back.
func Example() {
	target, err := xroad.ParseTarget("/r1/XX/GOV/INTERIOR/CIVIL/births/v1/acts/42?lang=fr")
	if err != nil {
		fmt.Println(err)
		return
	}
	header := map[string][]string{"X-Road-Client": {"XX/GOV/JUSTICE/COURTS"}, "User-Agent": {"curl"}}
	fields, err := xroad.FilterRequest(header)
	if err != nil {
		fmt.Println(err)
		return
	}
	head, err := xroad.AppendRequestHead(nil, "GET", target.Raw(), fields, "request-1", "XX-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(target.Service)
	fmt.Println(target.Upstream("/api"))
	fmt.Println(xroad.HashRequest(head, nil)[:16])
	// Output:
	// XX/GOV/INTERIOR/CIVIL/births
	// /api/v1/acts/42?lang=fr
	// G16Cm/vZzhjYPqUk
}

// A path is decided upon decoded, and sent on as it came.
func ExampleGlob_Match() {
	acts, _ := xroad.ParseGlob("/persons/*/acts")
	for _, raw := range []string{"/persons/A%20B/acts", "/persons//acts", "/persons/%2e%2e/acts"} {
		path, err := xroad.ParsePath(raw)
		fmt.Println(raw, err == nil && acts.Match(path))
	}
	// Output:
	// /persons/A%20B/acts true
	// /persons//acts false
	// /persons/%2e%2e/acts false
}
