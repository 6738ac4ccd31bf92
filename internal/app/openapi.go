package app

import (
	"encoding/json"

	"diwan/internal/casework"
	"diwan/internal/catalogue"
	"diwan/internal/exchange"
	"diwan/internal/gazette"
	"diwan/internal/verifier"
)

// openAPI is one document for the interface of the whole program: that of the
// catalogue with what the other slices add.
func (a *App) openAPI() []byte {
	documents := [][]byte{catalogue.OpenAPI()}
	if a.Gazette != nil {
		documents = append(documents, gazette.OpenAPI())
	}
	if a.Exchange != nil {
		documents = append(documents, exchange.OpenAPI())
	}
	if a.Casework != nil {
		documents = append(documents, casework.OpenAPI())
	}
	documents = append(documents, verifier.OpenAPI())
	return joinOpenAPI("Diwan", documents...)
}

// joinOpenAPI adds the tags, paths and components of documents to the first. Two
// slices never name one thing alike: the tests of the document hold it.
func joinOpenAPI(title string, documents ...[]byte) []byte {
	var out map[string]any
	for i, d := range documents {
		var doc map[string]any
		if err := json.Unmarshal(d, &doc); err != nil {
			panic(err) // our own files
		}
		if i == 0 {
			out = doc
			continue
		}
		out["tags"] = append(out["tags"].([]any), doc["tags"].([]any)...)
		join(out["paths"].(map[string]any), doc["paths"].(map[string]any))
		into := out["components"].(map[string]any)
		for kind, parts := range doc["components"].(map[string]any) {
			if into[kind] == nil {
				into[kind] = map[string]any{}
			}
			join(into[kind].(map[string]any), parts.(map[string]any))
		}
	}
	out["info"].(map[string]any)["title"] = title
	b, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		panic(err) // it was JSON before
	}
	return b
}

func join(into, from map[string]any) {
	for k, v := range from {
		into[k] = v
	}
}
