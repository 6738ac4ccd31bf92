package catalogue

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
)

func microTime(us int64) time.Time { return db.Time(us) }

// The form of a procedure is data: groups of fields, some of them repeated, so
// that one template shows it and one function reads it back. Fields that the
// form does not show (sources, rows of official lists) stay as they were.

// form is a procedure being edited.
type form struct {
	Groups []group
}

type group struct {
	ID     string
	Fields []field
	// Rows are repeated parts; Add is the value of the button that adds one.
	Rows []formRow
	Add  string
}

type formRow struct {
	Number int
	Fields []field
}

// field is one question. Kind is "text" and "long" (in every language), "line",
// "number", "money", "select", "check", "list" (ids, one a line) or
// "administration" (an id, with the known ones to choose from).
type field struct {
	Kind, Name, Label string
	Values            []langValue
	Value             string
	Options           []choice
	Checked           bool
	Error             string
}

type langValue struct {
	Lang      gov.Lang
	Dir, Name string
	Label     string
	Value     string
}

type choice struct {
	Value, Label string
	Text         gov.Text
	On           bool
}

// bounds of a form: more than any real procedure has, less than would hurt.
const (
	maxRows     = 60
	maxLineText = 400
	maxLongText = 6000
)

// formBuilder makes the fields from a procedure.
type formBuilder struct {
	langs  []gov.Language
	errors map[string]string
	snap   *Snapshot
}

func (b formBuilder) text(kind, name string, t gov.Text) field {
	f := field{Kind: kind, Name: name, Label: label(name), Error: b.errors[name]}
	for _, l := range b.langs {
		n := name + "." + string(l.Code)
		if e := b.errors[n]; e != "" && f.Error == "" {
			f.Error = e
		}
		f.Values = append(f.Values, langValue{l.Code, l.Dir, n, l.Name, t[l.Code]})
	}
	return f
}

// label is the message of a field: its name without the numbers of rows.
func label(name string) string {
	var parts []string
	for p := range strings.SplitSeq(name, ".") {
		if _, err := strconv.Atoi(p); err != nil {
			parts = append(parts, p)
		}
	}
	return "form." + strings.Join(parts, ".")
}

func (b formBuilder) line(kind, name, value string) field {
	return field{Kind: kind, Name: name, Label: label(name), Value: value, Error: b.errors[name]}
}

func (b formBuilder) check(name string, on bool) field {
	return field{Kind: "check", Name: name, Label: label(name), Checked: on, Error: b.errors[name]}
}

func (b formBuilder) pick(name, value string, values ...string) field {
	f := field{Kind: "select", Name: name, Label: label(name), Error: b.errors[name]}
	for _, v := range values {
		key := "form.choice.none"
		if v != "" {
			key = label(name) + "." + v
		}
		f.Options = append(f.Options, choice{Value: v, Label: key, On: v == value})
	}
	return f
}

func (b formBuilder) administration(name, value string) field {
	f := field{Kind: "select", Name: name, Label: label(name), Error: b.errors[name],
		Options: []choice{{Label: "form.choice.none", On: value == ""}}}
	for _, a := range b.snap.Administrations {
		f.Options = append(f.Options, choice{Value: a.ID, Text: a.Name, On: a.ID == value})
	}
	return f
}

func (b formBuilder) list(name string, values []string) field {
	return field{Kind: "list", Name: name, Label: label(name), Value: strings.Join(values, "\n"), Error: b.errors[name]}
}

// build shows a procedure as a form.
func (b formBuilder) build(p *model.Procedure) form {
	var f form
	f.Groups = append(f.Groups,
		group{ID: "name", Fields: []field{b.text("text", "name", p.Name), b.text("long", "summary", p.Summary), b.text("long", "who_can_ask", p.WhoCanAsk)}},
		b.rows("legal_basis", len(p.LegalBasis), func(n string, i int) []field {
			r := p.LegalBasis[i]
			return []field{b.line("line", n+".address", string(r.Address)), b.text("text", n+".title", r.Title)}
		}),
		group{ID: "administrations", Fields: []field{b.administration("competent", p.Competent), b.list("receives", p.Receives),
			b.list("studies", p.Studies), b.list("delivers", p.Delivers), b.text("long", "where", p.Where)}},
		b.evidence(p),
		group{ID: "filing", Fields: []field{b.text("long", "filing", p.Filing), b.check("no_evidence", p.NoEvidence)}},
		b.rows("fees", len(p.Fees), func(n string, i int) []field {
			r := p.Fees[i]
			return []field{b.text("text", n+".name", r.Name), b.line("money", n+".amount", moneyText(r.Amount)),
				b.line("money", n+".min", moneyText(r.Min)), b.line("money", n+".max", moneyText(r.Max)), b.text("text", n+".rule", r.Rule)}
		}),
		group{ID: "free", Fields: []field{b.check("free", p.Free)}},
		b.rows("deadline", len(p.Deadline.Terms), func(n string, i int) []field {
			r := p.Deadline.Terms[i]
			days := ""
			if r.Days > 0 {
				days = strconv.Itoa(r.Days)
			}
			return []field{b.line("number", n+".days", days), b.check(n+".at_once", r.AtOnce), b.text("text", n+".when", r.When)}
		}),
		group{ID: "silence", Fields: []field{b.pick("silence", p.Silence.Effect, "", model.SilenceApproval, model.SilenceAppeal),
			b.line("line", "silence.basis", string(p.Silence.Basis)), b.text("long", "silence.note", p.Silence.Note)}},
		b.rows("remedies", len(p.Remedies), func(n string, i int) []field {
			r := p.Remedies[i]
			return []field{b.pick(n+".kind", r.Kind, "administrative", "court"), b.text("text", n+".to", r.To),
				b.line("number", n+".within", digits(r.Within)), b.line("number", n+".answer", digits(r.Answer))}
		}),
		group{ID: "extension", Fields: []field{b.pick("extension", p.Extension.Possible, "", model.ExtensionYes, model.ExtensionNo), b.text("long", "extension.why", p.Extension.Why)}},
		b.rows("steps", len(p.Steps), func(n string, i int) []field {
			r := p.Steps[i]
			return []field{b.text("text", n+".title", r.Title), b.text("long", n+".text", r.Text)}
		}),
		group{ID: "more", Fields: []field{b.text("text", "validity", p.Validity), b.list("themes", p.Themes), b.list("related", p.Related), b.list("unverified", p.Unverified)}},
	)
	return f
}

func (b formBuilder) evidence(p *model.Procedure) group {
	return b.rows("evidence", len(p.Evidence), func(n string, i int) []field {
		r := p.Evidence[i]
		return []field{b.text("text", n+".name", r.Name), b.pick(n+".by", r.By, model.ByUser, model.ByAdministration),
			b.line("administration", n+".from", r.From), b.text("text", n+".when", r.When), b.line("number", n+".copies", digits(r.Copies)),
			b.check(n+".legalised", r.Legalised), b.check(n+".certified", r.Certified), b.check(n+".not_personal", r.NotPersonal)}
	})
}

// rows makes a repeated group.
func (b formBuilder) rows(id string, n int, fields func(name string, i int) []field) group {
	g := group{ID: id, Add: id}
	for i := range n {
		g.Rows = append(g.Rows, formRow{i + 1, fields(id+"."+strconv.Itoa(i), i)})
	}
	return g
}

func digits(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// moneyText writes an amount as editors type it: "1200.50".
func moneyText(c *gov.Centimes) string {
	if c == nil {
		return ""
	}
	return strconv.FormatInt(int64(*c)/100, 10) + "." + strconv.FormatInt(100+int64(*c)%100, 10)[1:]
}

// reader reads a form back.
type reader struct {
	v     url.Values
	langs []gov.Language
	bad   map[string]string // field to code
}

func (rd *reader) text(name string, limit int) gov.Text {
	t := gov.Text{}
	for _, l := range rd.langs {
		if s := cleanText(rd.v.Get(name+"."+string(l.Code)), limit); s != "" {
			t[l.Code] = s
		}
	}
	if len(t) == 0 {
		return nil
	}
	return t
}

func (rd *reader) line(name string) string { return cleanLine(rd.v.Get(name)) }

func (rd *reader) list(name string) []string {
	var out []string
	for s := range strings.FieldsFuncSeq(rd.v.Get(name), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ' ' }) {
		if s = cleanLine(s); s != "" && len(s) <= 120 && len(out) < maxRows && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (rd *reader) number(name string) int {
	s := strings.TrimSpace(rd.v.Get(name))
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 100_000 {
		rd.bad[name] = "form.number"
		return 0
	}
	return n
}

func (rd *reader) money(name string) *gov.Centimes {
	s := strings.ReplaceAll(strings.TrimSpace(rd.v.Get(name)), ",", ".")
	if s == "" {
		return nil
	}
	whole, cents, _ := strings.Cut(s, ".")
	w, err1 := strconv.ParseInt(whole, 10, 64)
	c, err2 := strconv.ParseInt((cents + "00")[:2], 10, 64)
	if err1 != nil || err2 != nil || w < 0 || c < 0 || w > 1_000_000_000 || len(cents) > 2 {
		rd.bad[name] = "form.money"
		return nil
	}
	v := gov.Centimes(w*100 + c)
	return &v
}

// each calls read for every row of a group that was sent, and for one more when
// the button that adds one was pressed; the row to be removed is left out.
func (rd *reader) each(group string, read func(name string)) {
	n := 0
	for i := range maxRows {
		if rd.v.Has("has." + group + "." + strconv.Itoa(i)) {
			n = i + 1
		}
	}
	if rd.v.Get("add") == group && n < maxRows {
		n++
	}
	for i := range n {
		name := group + "." + strconv.Itoa(i)
		if rd.v.Get("remove") != name {
			read(name)
		}
	}
}

// read puts what the form says into p.
func (rd *reader) read(p *model.Procedure) {
	p.Name, p.Summary, p.WhoCanAsk = rd.text("name", maxLineText), rd.text("summary", maxLongText), rd.text("who_can_ask", maxLongText)
	p.LegalBasis = nil
	rd.each("legal_basis", func(n string) {
		p.LegalBasis = append(p.LegalBasis, model.LegalRef{Address: gov.Address(rd.line(n + ".address")), Title: rd.text(n+".title", maxLineText)})
	})
	p.Competent, p.Receives, p.Studies, p.Delivers = rd.line("competent"), rd.list("receives"), rd.list("studies"), rd.list("delivers")
	p.Where, p.Filing, p.NoEvidence, p.Free = rd.text("where", maxLongText), rd.text("filing", maxLongText), rd.v.Has("no_evidence"), rd.v.Has("free")
	rd.evidence(p)
	p.Fees = nil
	rd.each("fees", func(n string) {
		p.Fees = append(p.Fees, model.Fee{Name: rd.text(n+".name", maxLineText), Amount: rd.money(n + ".amount"),
			Min: rd.money(n + ".min"), Max: rd.money(n + ".max"), Rule: rd.text(n+".rule", maxLongText)})
	})
	p.Deadline.Terms = nil
	rd.each("deadline", func(n string) {
		p.Deadline.Terms = append(p.Deadline.Terms, model.Term{Days: rd.number(n + ".days"), AtOnce: rd.v.Has(n + ".at_once"), When: rd.text(n+".when", maxLineText)})
	})
	p.Silence = model.Silence{Effect: rd.line("silence"), Basis: gov.Address(rd.line("silence.basis")), Note: rd.text("silence.note", maxLongText)}
	p.Extension.Possible, p.Extension.Why = rd.line("extension"), rd.text("extension.why", maxLongText)
	rd.remediesAndSteps(p)
	p.Validity, p.Themes, p.Related, p.Unverified = rd.text("validity", maxLongText), rd.list("themes"), rd.list("related"), rd.list("unverified")
}

// evidence keeps what the form does not show of each row by its place.
func (rd *reader) evidence(p *model.Procedure) {
	old := p.Evidence
	p.Evidence = nil
	rd.each("evidence", func(n string) {
		var e model.Evidence
		if i, err := strconv.Atoi(strings.TrimPrefix(n, "evidence.")); err == nil && i < len(old) {
			e = old[i]
		}
		if e.ID == "" {
			e.ID = gov.NewID()[:10]
		}
		e.Name, e.By, e.From, e.When = rd.text(n+".name", maxLineText), rd.line(n+".by"), rd.line(n+".from"), rd.text(n+".when", maxLineText)
		e.Copies, e.Legalised, e.Certified, e.NotPersonal = rd.number(n+".copies"), rd.v.Has(n+".legalised"), rd.v.Has(n+".certified"), rd.v.Has(n+".not_personal")
		p.Evidence = append(p.Evidence, e)
	})
}

func (rd *reader) remediesAndSteps(p *model.Procedure) {
	oldR, oldS := p.Remedies, p.Steps
	p.Remedies, p.Steps = nil, nil
	rd.each("remedies", func(n string) {
		var m model.Remedy
		if i, err := strconv.Atoi(strings.TrimPrefix(n, "remedies.")); err == nil && i < len(oldR) {
			m = oldR[i]
		}
		m.Kind, m.To, m.Within, m.Answer = rd.line(n+".kind"), rd.text(n+".to", maxLineText), rd.number(n+".within"), rd.number(n+".answer")
		p.Remedies = append(p.Remedies, m)
	})
	rd.each("steps", func(n string) {
		var s model.Step
		if i, err := strconv.Atoi(strings.TrimPrefix(n, "steps.")); err == nil && i < len(oldS) {
			s = oldS[i]
		}
		s.Title, s.Text = rd.text(n+".title", maxLineText), rd.text(n+".text", maxLongText)
		p.Steps = append(p.Steps, s)
	})
}

// cleanLine keeps one line of text, without control characters and direction
// overrides that could make it read as something else.
func cleanLine(s string) string {
	return strings.Join(strings.Fields(cleanText(s, maxLineText)), " ")
}

func cleanText(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == utf8.RuneError || unicode.IsControl(r):
			return -1
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > limit {
		s = string([]rune(s)[:limit])
	}
	return s
}

// blank is a procedure nobody has written yet.
func blank(a gov.Actor) *model.Procedure {
	return &model.Procedure{Competent: a.Administration}
}
