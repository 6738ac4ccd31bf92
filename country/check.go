package country

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schema.json
var schemaText []byte

// schemas maps the files of a pack to the part of the schema that describes
// them. A pattern may match no file.
var schemas = map[string]string{
	"country.json": "country", "law.json": "law", "lists.json": "lists", "regions.json": "regions", "places.json": "places", "map.json": "map",
	"holidays.json": "holidays", "document-types.json": "documentTypes", "administrations*.json": "administrations",
	"catalogue/administrations*.json": "administrations", "catalogue/themes.json": "themes",
	"catalogue/life-events.json": "lifeEvents", "catalogue/services.json": "services",
	"catalogue/procedures/*.json": "procedures", "catalogue/listed/*.json": "procedures",
	"catalogue/translations/*.json": "actWords", "messages/*.json": "messages", "decrees.json": "decrees",
	"gazette.json": "gazette", "gazette-citations.json": "gazetteCitations", "exchange.json": "exchange", "clock.json": "clock", "casework.json": "casework", "casework-around.json": "caseworkAround",
	"forms/*.json": "form", "forms/rules/*.json": "formRules", "exchange-demo.json": "exchangeDemo",
	"credentials.json": "credentials", "credentials-demo.json": "credentialsDemo", "verifiers.json": "verifiers",
}

// Check compares every file of a pack with the schema and returns one sentence
// for each fault, with the file and the place in it. A file that the schema does
// not know is a fault too: it would be without effect.
func Check(files fs.FS) ([]string, error) {
	c := jsonschema.NewCompiler()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, fmt.Errorf("the schema of country packs: %w", err)
	}
	if err := c.AddResource("schema.json", doc); err != nil {
		return nil, fmt.Errorf("the schema of country packs: %w", err)
	}
	var faults []string
	err = fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		part := partOf(name)
		if part == "" {
			faults = append(faults, name+": no part of a country pack has this name")
			return nil
		}
		s, err := c.Compile("schema.json#/$defs/" + part)
		if err != nil {
			return fmt.Errorf("the schema of country packs, %s: %w", part, err)
		}
		bad, err := checkFile(files, name, s)
		faults = append(faults, bad...)
		return err
	})
	return faults, err
}

func partOf(name string) string {
	for pattern, part := range schemas {
		if ok, _ := path.Match(pattern, name); ok {
			return part
		}
	}
	return ""
}

func checkFile(files fs.FS, name string, s *jsonschema.Schema) ([]string, error) {
	var raw json.RawMessage
	if err := Decode(files, name, &raw); err != nil {
		return []string{err.Error()}, nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return []string{name + ": " + err.Error()}, nil
	}
	err = s.Validate(v)
	if err == nil {
		return nil, nil
	}
	bad, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, err
	}
	var out []string
	for _, u := range bad.BasicOutput().Errors {
		if u.Error != nil && u.InstanceLocation != "" {
			out = append(out, fmt.Sprintf("%s%s: %s", name, u.InstanceLocation, u.Error))
		}
	}
	if out == nil {
		out = []string{name + ": " + bad.Error()}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
