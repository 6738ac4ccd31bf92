// Package people holds the invented people of the demonstration: a few with a
// story, and as many more as are asked for, made from lists of names in the same
// order each time. None of them exists.
package people

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// Person is somebody invented.
type Person struct {
	Login string            `json:"login"`
	Name  map[string]string `json:"name"`
	About map[string]string `json:"about"`
	// Birthdate is YYYY-MM-DD. NationalID is invented, of a form that no real one has.
	Birthdate  string       `json:"birthdate"`
	NationalID string       `json:"national_id"`
	Represents []Represents `json:"represents,omitempty"`
	// Mandates are the logins of those to whom the person has given a written
	// mandate. The provider says nothing of them: they are kept by the site.
	Mandates []string `json:"mandates,omitempty"`
}

// Represents says for whom a person may act: a child, a ward or a firm.
type Represents struct {
	Kind  string            `json:"kind"`
	ID    string            `json:"id"`
	Name  map[string]string `json:"name"`
	Until string            `json:"until,omitempty"`
}

// Max is how many people there can be.
const Max = 100_000

//go:embed people.json
var peopleFile []byte

//go:embed names.json
var namesFile []byte

type names struct {
	First, Last []map[string]string
	About       map[string]string
}

var load = sync.OnceValues(func() ([]Person, names) {
	var fixed []Person
	var n names
	if err := json.Unmarshal(peopleFile, &fixed); err != nil {
		panic(err) // a file of this program
	}
	if err := json.Unmarshal(namesFile, &n); err != nil {
		panic(err)
	}
	return fixed, n
})

// First returns those with a story, and others after them until there are n.
func First(n int) []Person {
	fixed, names := load()
	out := append([]Person{}, fixed...)
	for i := 0; len(out) < min(n, Max); i++ {
		out = append(out, names.person(i))
	}
	return out
}

// person makes the i-th person: first names change fastest, so that neighbours in
// the list are not all one family.
func (n names) person(i int) Person {
	f, l := n.First[i%len(n.First)], n.Last[(i/len(n.First)+i)%len(n.Last)]
	p := Person{Login: fmt.Sprintf("person-%05d.demo", i+1), Name: map[string]string{}, About: n.About,
		Birthdate: fmt.Sprintf("%04d-%02d-%02d", 1945+i*7%60, 1+i*5%12, 1+i*11%28), NationalID: fmt.Sprintf("ZZZ%07d", i+1)}
	for lang := range f {
		p.Name[lang] = f[lang] + " " + l[lang]
	}
	return p
}
