package form

// control is how a kind is entered.
type control string

const (
	line     control = "line"
	long     control = "long"
	dateIn   control = "date"
	yesNo    control = "yes-no"
	radio    control = "radio"
	checks   control = "checks"
	selectIn control = "select"
	group    control = "group"
	files    control = "files"
	evidence control = "evidence"
	honour   control = "honour"
)

// kindSpec is what a kind of question is: how it is entered and which JSON its
// answer is.
type kindSpec struct {
	name    string
	control control
	json    string // the JSON type of the answer
	// max bounds the characters of a text whose schema sets no bound.
	max     int
	options bool // it needs options
	parts   []part
	// fixed parts are filled by the program and not by the person.
	fixed []part
	// latin answers are written with Latin letters and digits, left to right.
	latin        bool
	inputmode    string
	autocomplete string
	input        string // the type of the input, when it is not "text"
}

// part is one field of an answer with several.
type part struct {
	name         string
	json         string
	max          int
	script       string // "latin", "arabic" or empty
	inputmode    string
	autocomplete string
	scheme       bool // the question's identifier scheme holds for it
	place        string
}

// maxText bounds every answer, whatever a schema says.
const maxText = 20_000

var kinds = map[string]kindSpec{
	"text":     {control: line, json: "string", max: 400},
	"textarea": {control: long, json: "string", max: 4000},
	"number":   {control: line, json: "number", latin: true, inputmode: "decimal"},
	"integer":  {control: line, json: "integer", latin: true, inputmode: "numeric"},
	"money":    {control: line, json: "integer", latin: true, inputmode: "decimal"},
	"date":     {control: dateIn, json: "string", max: 10, latin: true},
	"yes-no":   {control: yesNo, json: "boolean"},
	"choice":   {control: radio, json: "string", max: 80, options: true},
	"choices":  {control: checks, json: "array", options: true},
	"select":   {control: selectIn, json: "string", max: 80, options: true},
	"phone":    {control: line, json: "string", max: 20, latin: true, inputmode: "tel", autocomplete: "tel", input: "tel"},
	"e-mail":   {control: line, json: "string", max: 254, latin: true, inputmode: "email", autocomplete: "email", input: "email"},
	"file":     {control: files, json: "array"},
	"evidence": {control: evidence, json: "object", fixed: []part{
		{name: "route", json: "string", max: 10}, {name: "files", json: "array"}}},
	"signature": {control: honour, json: "object", fixed: []part{
		{name: "agreed", json: "boolean"}, {name: "on", json: "string", max: 10}}},
	"point": {control: group, json: "object", parts: []part{
		{name: "lat", json: "number", script: "latin", inputmode: "decimal"},
		{name: "lon", json: "number", script: "latin", inputmode: "decimal"}}},
	"address": {control: group, json: "object", parts: []part{
		{name: "region", json: "string", max: 80, place: "region"},
		{name: "province", json: "string", max: 120, place: "province"},
		{name: "municipality", json: "string", max: 120, place: "municipality", autocomplete: "address-level2"},
		{name: "street", json: "string", max: 300, autocomplete: "street-address"},
		{name: "postcode", json: "string", max: 12, script: "latin", inputmode: "numeric", autocomplete: "postal-code"}}},
	"person": {control: group, json: "object", parts: []part{
		{name: "given", json: "string", max: 120, script: "arabic", autocomplete: "given-name"},
		{name: "family", json: "string", max: 120, script: "arabic", autocomplete: "family-name"},
		{name: "given_latin", json: "string", max: 120, script: "latin"},
		{name: "family_latin", json: "string", max: 120, script: "latin"},
		{name: "identity", json: "string", max: 40, script: "latin", scheme: true}}},
	"firm": {control: group, json: "object", parts: []part{
		{name: "name", json: "string", max: 200, autocomplete: "organization"},
		{name: "number", json: "string", max: 40, script: "latin", inputmode: "numeric", scheme: true},
		{name: "register", json: "string", max: 40, script: "latin"}}},
}

func init() {
	for name, k := range kinds {
		k.name = name
		kinds[name] = k
	}
}

// Kinds returns the kinds of questions in the order in which a builder offers
// them.
func Kinds() []string {
	return []string{"text", "textarea", "number", "integer", "money", "date", "yes-no", "choice", "choices", "select",
		"address", "person", "firm", "phone", "e-mail", "file", "evidence", "point", "signature"}
}

// part returns a part by its name.
func (k kindSpec) part(name string) (part, bool) {
	for _, ps := range [][]part{k.parts, k.fixed} {
		for _, p := range ps {
			if p.name == name {
				return p, true
			}
		}
	}
	return part{}, false
}

// fileShape is the schema of one uploaded file as the answers keep it.
func fileShape() map[string]any {
	text := func(max int) map[string]any { return map[string]any{"type": "string", "maxLength": max} }
	return map[string]any{"type": "object", "required": []any{"ref", "name"}, "additionalProperties": false, "properties": map[string]any{
		"ref": text(200), "name": text(255), "type": text(100), "size": map[string]any{"type": "integer", "minimum": 0},
		"sha256": text(64)}}
}

// stockFiles is how many files a question takes when nobody says.
const stockFiles = 5

// stockSchema is the schema that fits a question when nobody wrote one, for the
// builder.
func (q Question) stockSchema() map[string]any {
	k := kinds[q.Kind]
	fileList := map[string]any{"type": "array", "maxItems": stockFiles, "items": fileShape()}
	s := map[string]any{"type": k.json}
	switch q.Kind {
	case "text", "textarea", "phone":
		s["maxLength"] = k.max
	case "e-mail":
		s["maxLength"], s["format"] = k.max, "email"
	case "date":
		s["format"] = "date"
	case "money":
		s["minimum"] = 0
	case "choice", "select":
		s["enum"] = optionValues(q.Options)
	case "choices":
		s["items"] = map[string]any{"type": "string", "enum": optionValues(q.Options)}
		s["uniqueItems"], s["maxItems"] = true, max(1, len(q.Options))
	case "file":
		return fileList
	}
	if k.json != "object" {
		return s
	}
	props, must := map[string]any{}, []any{}
	for _, ps := range [][]part{k.parts, k.fixed} {
		for _, p := range ps {
			props[p.name] = p.stockSchema(fileList)
			if p.needed(q.Kind) {
				must = append(must, p.name)
			}
		}
	}
	s["properties"], s["additionalProperties"], s["required"] = props, false, must
	return s
}

func (p part) stockSchema(fileList map[string]any) map[string]any {
	s := map[string]any{"type": p.json}
	switch {
	case p.name == "files":
		return fileList
	case p.name == "on":
		s["format"] = "date"
	case p.name == "route":
		s["enum"] = []any{RouteFetch, RouteBring, RouteWallet}
	case p.name == "agreed":
		s["const"] = true
	case p.name == "lat":
		s["minimum"], s["maximum"] = -90, 90
	case p.name == "lon":
		s["minimum"], s["maximum"] = -180, 180
	case p.json == "string":
		s["maxLength"] = p.max
	}
	return s
}

// needed says which parts a new question asks for in any case.
func (p part) needed(kind string) bool {
	switch kind {
	case "address":
		return p.name == "region" || p.name == "municipality" || p.name == "street"
	case "person":
		return p.name == "given" || p.name == "family"
	case "firm":
		return p.name == "name"
	}
	return p.name != "files"
}

func optionValues(os []Option) []any {
	out := make([]any, len(os))
	for i, o := range os {
		out[i] = o.Value
	}
	return out
}
