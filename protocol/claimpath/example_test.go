package claimpath_test

import (
	"encoding/json"
	"fmt"

	"diwan/protocol/claimpath"
)

func Example() {
	var credential any
	_ = json.Unmarshal([]byte(`{"degrees":[{"type":"Bachelor"},{"type":"Master"}]}`), &credential)
	p, err := claimpath.Parse([]byte(`["degrees",null,"type"]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := p.Select(credential)
	fmt.Println(values, err)
	// Output: [Bachelor Master] <nil>
}
