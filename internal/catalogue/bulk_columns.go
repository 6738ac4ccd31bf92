package catalogue

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// The columns of a table of procedures. A cell holds one text, or codes with
// bars between them, or one thing a line; the lines of columns that belong
// together (the documents and their names) correspond. What a table has no
// column for is kept as it is.

// column is one column. get writes a procedure's cell; set reads one into a
// procedure and returns false with what was expected when it can't.
type column struct {
	name string
	// path is the field of the model that it shows, for errors.
	path string
	get  func(*model.Procedure) string
	set  func(*model.Procedure, string) (want string, ok bool)
}

//go:embed bulk_columns.json
var columnFile []byte

// columnDocs explains the columns, by name without a language, in the languages
// of those who fill them in.
func columnDocs() map[string]gov.Text {
	docs := map[string]gov.Text{}
	if err := json.Unmarshal(columnFile, &docs); err != nil {
		panic(err) // embedded
	}
	return docs
}

// columnsOf returns the columns for the languages of a country, in their order.
func columnsOf(langs []gov.Lang) []column {
	b := columnBuilder{langs: langs}
	b.plain("id", "id", func(p *model.Procedure) *string { return &p.ID })
	b.text("name", "name", func(p *model.Procedure) *gov.Text { return &p.Name })
	b.text("summary", "summary", func(p *model.Procedure) *gov.Text { return &p.Summary })
	b.keywords()
	b.text("who_can_ask", "who_can_ask", func(p *model.Procedure) *gov.Text { return &p.WhoCanAsk })
	b.codes("audience", func(p *model.Procedure) *[]string { return &p.Audience })
	b.codes("themes", func(p *model.Procedure) *[]string { return &p.Themes })
	b.plain("competent", "competent", func(p *model.Procedure) *string { return &p.Competent })
	b.codes("receives", func(p *model.Procedure) *[]string { return &p.Receives })
	b.codes("studies", func(p *model.Procedure) *[]string { return &p.Studies })
	b.codes("delivers", func(p *model.Procedure) *[]string { return &p.Delivers })
	b.text("where", "where", func(p *model.Procedure) *gov.Text { return &p.Where })
	b.legal()
	b.evidence()
	b.flag("no_evidence", func(p *model.Procedure) *bool { return &p.NoEvidence })
	b.text("filing", "filing", func(p *model.Procedure) *gov.Text { return &p.Filing })
	b.fees()
	b.flag("free", func(p *model.Procedure) *bool { return &p.Free })
	b.deadline()
	b.plain("silence", "silence.effect", func(p *model.Procedure) *string { return &p.Silence.Effect })
	b.address("silence_basis", "silence.basis", func(p *model.Procedure) *gov.Address { return &p.Silence.Basis })
	b.text("silence_note", "silence.note", func(p *model.Procedure) *gov.Text { return &p.Silence.Note })
	b.remedies()
	b.plain("extension", "extension.possible", func(p *model.Procedure) *string { return &p.Extension.Possible })
	b.text("extension_why", "extension.why", func(p *model.Procedure) *gov.Text { return &p.Extension.Why })
	b.address("extension_basis", "extension.basis", func(p *model.Procedure) *gov.Address { return &p.Extension.Basis })
	b.steps()
	b.text("validity", "validity", func(p *model.Procedure) *gov.Text { return &p.Validity })
	b.codes("outputs", func(p *model.Procedure) *[]string { return &p.Outputs })
	b.codes("related", func(p *model.Procedure) *[]string { return &p.Related })
	b.codes("unverified", func(p *model.Procedure) *[]string { return &p.Unverified })
	b.translated()
	return b.all
}

type columnBuilder struct {
	langs []gov.Lang
	all   []column
}

func (b *columnBuilder) add(c column) { b.all = append(b.all, c) }

func (b *columnBuilder) plain(name, path string, at func(*model.Procedure) *string) {
	b.add(column{name, path, func(p *model.Procedure) string { return *at(p) },
		func(p *model.Procedure, s string) (string, bool) { *at(p) = strings.TrimSpace(s); return "", true }})
}

func (b *columnBuilder) address(name, path string, at func(*model.Procedure) *gov.Address) {
	b.add(column{name, path, func(p *model.Procedure) string { return string(*at(p)) },
		func(p *model.Procedure, s string) (string, bool) {
			*at(p) = gov.Address(strings.TrimSpace(s))
			return "", true
		}})
}

// setText sets one language of a text; an empty one is taken out.
func setText(t *gov.Text, l gov.Lang, s string) {
	if strings.TrimSpace(s) == "" {
		delete(*t, l)
		if len(*t) == 0 {
			*t = nil
		}
		return
	}
	if *t == nil {
		*t = gov.Text{}
	}
	(*t)[l] = s
}

func (b *columnBuilder) text(name, path string, at func(*model.Procedure) *gov.Text) {
	for _, l := range b.langs {
		b.add(column{name + "_" + string(l), path + "." + string(l), func(p *model.Procedure) string { return (*at(p))[l] },
			func(p *model.Procedure, s string) (string, bool) { setText(at(p), l, s); return "", true }})
	}
}

func (b *columnBuilder) keywords() {
	for _, l := range b.langs {
		b.add(column{"keywords_" + string(l), "keywords." + string(l), func(p *model.Procedure) string { return joinLines(p.Keywords[l]) },
			func(p *model.Procedure, s string) (string, bool) {
				words := splitLines(s)
				if len(words) == 0 {
					delete(p.Keywords, l)
					return "", true
				}
				if p.Keywords == nil {
					p.Keywords = map[gov.Lang][]string{}
				}
				p.Keywords[l] = words
				return "", true
			}})
	}
}

// bar stands between codes in a cell.
const bar = "|"

func splitCodes(s string) []string {
	var out []string
	for c := range strings.SplitSeq(s, bar) {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

func (b *columnBuilder) codes(name string, at func(*model.Procedure) *[]string) {
	b.add(column{name, name, func(p *model.Procedure) string { return strings.Join(*at(p), " "+bar+" ") },
		func(p *model.Procedure, s string) (string, bool) { *at(p) = splitCodes(s); return "", true }})
}

func (b *columnBuilder) translated() {
	b.codes("translated", func(p *model.Procedure) *[]string { return nil })
	c := &b.all[len(b.all)-1]
	c.get = func(p *model.Procedure) string { return strings.Join(langStrings(p.Translated), " "+bar+" ") }
	c.set = func(p *model.Procedure, s string) (string, bool) {
		p.Translated = nil
		for _, l := range splitCodes(s) {
			if !slices.Contains(b.langs, gov.Lang(l)) {
				return joinLangs(b.langs), false
			}
			p.Translated = append(p.Translated, gov.Lang(l))
		}
		return "", true
	}
}

func langStrings(ls []gov.Lang) []string {
	out := make([]string, len(ls))
	for i, l := range ls {
		out[i] = string(l)
	}
	return out
}

// The words for yes and no in a cell.
const (
	cellYes = "yes"
	cellNo  = "no"
)

func (b *columnBuilder) flag(name string, at func(*model.Procedure) *bool) {
	b.add(column{name, name, func(p *model.Procedure) string {
		if *at(p) {
			return cellYes
		}
		return cellNo
	}, func(p *model.Procedure, s string) (string, bool) {
		switch strings.ToLower(strings.TrimSpace(s)) {
		case cellYes, "true", "1":
			*at(p) = true
		case cellNo, "false", "0", "":
			*at(p) = false
		default:
			return cellYes + ", " + cellNo, false
		}
		return "", true
	}})
}

var lineEscape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
var lineUnescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")

// joinLines writes texts one a line. Line breaks inside are escaped, so that the
// lines of columns that belong together stay level.
func joinLines(texts []string) string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = lineEscape.Replace(s)
	}
	return strings.Join(out, "\n")
}

// splitLines reads what joinLines writes. An empty cell has no lines.
func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = lineUnescape.Replace(strings.TrimSuffix(l, "\r"))
	}
	return lines
}

// amount writes centimes in whole units: 75.00.
func amount(c gov.Centimes) string {
	return strconv.FormatInt(int64(c/100), 10) + "." + strconv.FormatInt(int64(c%100)+100, 10)[1:]
}

// parseAmount reads whole units with at most two decimals, after a point or a
// comma.
func parseAmount(s string) (*gov.Centimes, bool) {
	whole, part, _ := strings.Cut(strings.Replace(strings.TrimSpace(s), ",", ".", 1), ".")
	n, err := strconv.ParseUint(whole, 10, 40)
	if err != nil || len(part) > 2 {
		return nil, false
	}
	var cents uint64
	if part != "" {
		if cents, err = strconv.ParseUint((part + "0")[:2], 10, 8); err != nil {
			return nil, false
		}
	}
	c := gov.Centimes(n*100 + cents)
	return &c, true
}
