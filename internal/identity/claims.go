package identity

import (
	"encoding/json"
	"strings"

	"diwan/internal/gov"
)

// ClaimNames say which claims of a provider hold what. A name may lead into an
// object with dots: "address.locality".
type ClaimNames struct {
	// Name holds the claim of the name for each language; that of "" is used for
	// all. Empty takes "name".
	Name map[string]string
	// NationalID and Birthdate are kept sealed; empty asks for none.
	NationalID, Birthdate string
	// Represents is a list of objects about whom the person may act for: "kind"
	// (child, ward or firm), "id", "name" (text, or texts by language), "until".
	Represents string
}

// profile is what a provider said of somebody, made safe to keep and to show.
type profile struct {
	Name        gov.Text
	Particulars Particulars
	Represents  []represented
	said        bool // whether the provider speaks of representation at all
}

type represented struct {
	Kind, ID string
	Name     gov.Text
	Until    gov.Date
}

const (
	maxName       = 200
	maxRepresents = 50
)

func (c ClaimNames) read(claims map[string]any, langs []gov.Lang) profile {
	var p profile
	p.Name = c.name(claims, langs)
	p.Particulars.NationalID = cleanLine(textAt(claims, c.NationalID), 40)
	if d, err := gov.ParseDate(textAt(claims, c.Birthdate)); err == nil {
		p.Particulars.Birthdate = d.String()
	}
	if c.Represents != "" {
		p.said = true
		p.Represents = readRepresented(at(claims, c.Represents), langs)
	}
	return p
}

func (c ClaimNames) name(claims map[string]any, langs []gov.Lang) gov.Text {
	out := gov.Text{}
	for _, l := range langs {
		if s := cleanLine(textAt(claims, c.Name[string(l)]), maxName); s != "" {
			out[l] = s
		}
	}
	if len(out) > 0 {
		return out
	}
	all := c.Name[""]
	if all == "" {
		all = "name"
	}
	if s := cleanLine(textAt(claims, all), maxName); s != "" {
		out[""] = s
	}
	return out
}

// readRepresented leaves out what it does not understand: nobody is given a right
// by a guess.
func readRepresented(v any, langs []gov.Lang) []represented {
	list, _ := v.([]any)
	var out []represented
	for _, x := range list {
		o, _ := x.(map[string]any)
		r := represented{Kind: textAt(o, "kind"), ID: cleanLine(textAt(o, "id"), 60), Name: gov.Text{}}
		switch n := o["name"].(type) {
		case string:
			r.Name[""] = cleanLine(n, maxName)
		case map[string]any:
			for _, l := range langs {
				if s := cleanLine(textAt(n, string(l)), maxName); s != "" {
					r.Name[l] = s
				}
			}
		}
		until := textAt(o, "until")
		d, err := gov.ParseDate(until)
		if (err != nil && until != "") || r.ID == "" || r.Name.Empty() || !declarable[r.Kind] || len(out) == maxRepresents {
			continue
		}
		r.Until = d
		out = append(out, r)
	}
	return out
}

// at follows a path of names into claims.
func at(claims map[string]any, path string) any {
	if path == "" {
		return nil
	}
	if v, ok := claims[path]; ok { // names may have dots of their own, addresses do
		return v
	}
	first, rest, more := strings.Cut(path, ".")
	if !more {
		return claims[path]
	}
	inner, _ := claims[first].(map[string]any)
	return at(inner, rest)
}

func textAt(claims map[string]any, path string) string {
	switch v := at(claims, path).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
