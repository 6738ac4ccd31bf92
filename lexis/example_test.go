package lexis_test

import (
	"fmt"
	"os"
	"strings"

	"diwan/lexis"
)

// sample returns a line of the examples file, which keeps right-to-left
// text out of the source.
func sample(name string) string {
	b, err := os.ReadFile("testdata/example.tsv")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), name+"\t"); ok {
			return v
		}
	}
	return ""
}

func ExampleRepairReport() {
	_, rules := lexis.RepairReport(sample("repair"))
	for _, r := range rules {
		fmt.Println(r.Rule, r.Count)
	}
	// Output:
	// lam-alef 2
	// glued 1
	// brackets 1
}

func ExamplePhoneticKey() {
	fmt.Println(lexis.PhoneticKey(sample("arabic")) == lexis.PhoneticKey(sample("latin")))
	fmt.Println(lexis.PhoneticKey("rokhsa"))
	// Output:
	// true
	// rxs
}

func ExampleDetectLang() {
	g := lexis.DetectLang("kifach nakhod carte grise")
	fmt.Println(g.Lang, g.Darija, g.Arabizi)
	fmt.Println(lexis.DetectLang("Comment obtenir un passeport ?").Lang)
	// Output:
	// ar true true
	// fr
}

func ExampleAnalyze() {
	for _, t := range lexis.Analyze("les autorisations", "fr") {
		if t.Kind == lexis.Stem {
			fmt.Println(t.Text, t.Pos)
		}
	}
	// Output:
	// autoris 1
}

func ExampleDarija() {
	means, _ := lexis.Darija("carte grise")
	fmt.Println(means[len(means)-1])
	// Output:
	// immatriculation
}

func ExampleDistance() {
	fmt.Println(lexis.Distance("paseport", "passeport", 2))
	// Output:
	// 1
}
