package dcql_test

import (
	"fmt"

	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
)

func Example() {
	query, err := dcql.Parse([]byte(`{"credentials":[{"id":"permit","format":"dc+sd-jwt",
		"meta":{"vct_values":["https://example.org/permit/1"]},
		"claims":[{"id":"plot","path":["plot"]},{"id":"until","path":["until"]}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	permit := dcql.Held{Format: openid4.SDJWT, Types: []string{"https://example.org/permit/1"}, Bound: true,
		Claims: map[string]any{"plot": "12/A", "until": "2027-01-01", "owner": "hidden"}}
	choice, err := query.Evaluate([]dcql.Held{permit}).Default()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(choice[0].ID, choice[0].Matches[0].Claims)
	// Output: permit [["plot"] ["until"]]
}
