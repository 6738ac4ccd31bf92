package form

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"diwan/internal/gov"
)

// Required is a document of the published version of a procedure.
type Required struct {
	ID   string
	Name gov.Text
	// Type is a document type of the country pack, when it is one.
	Type string
	// ByAdministration documents are obtained by the administration and never
	// asked of the person; From is who holds them.
	ByAdministration bool
	From             string
	Copies           int // 0 and 1 mean one
	Legalised        bool
	Certified        bool
	NotPersonal      bool
}

// Published is what the law lets a form ask: a procedure as it was published.
type Published struct {
	Procedure string
	Documents []Required
	// ApplicationTypes are the document types that the form itself replaces.
	ApplicationTypes []string
}

// Banned is what may never be asked and where that stands, as data of the
// country.
type Banned struct {
	// Bans are the kinds forbidden.
	Bans []Ban `json:"bans"`
	// Articles maps the name of a rule ("documents", "principles", "fetch") to
	// its articles.
	Articles map[string][]gov.Address `json:"articles"`
}

// Ban is one kind of demand that is forbidden.
type Ban struct {
	// Code is "copies", "legalised", "certified" or "not_personal".
	Code     string        `json:"code"`
	Articles []gov.Address `json:"articles"`
	// Words betray the demand in the wording of a question, by language.
	Words map[gov.Lang][]string `json:"words"`
}

// Finding is one thing that keeps a form from being published, or, when it only
// warns, that the officer should look at.
type Finding struct {
	Path     string // in the document: "pages[1].questions[0]"
	Code     string // stable; the messages stand under "ask.lint." + Code
	Args     map[string]string
	Articles []gov.Address
	Warns    bool
}

// Lint checks a form against the published version of its procedure: it asks for
// no document outside it, for none of the banned kinds, for nothing that another
// administration holds without the route by which it is fetched, and for nothing
// twice. A form is published only when no finding stops it.
func Lint(f *Form, pub Published, banned Banned) []Finding {
	l := &linter{form: f, pub: pub, banned: banned, asked: map[string][]*question{}}
	if f.doc.Procedure != pub.Procedure {
		l.add("procedure", "procedure.other", "documents", false, "id", pub.Procedure)
	}
	for _, q := range f.questions {
		l.question(q)
	}
	l.repeated()
	l.forgotten()
	l.wording()
	return l.out
}

// Stops returns the findings that keep a form from being published.
func Stops(fs []Finding) []Finding {
	var out []Finding
	for _, f := range fs {
		if !f.Warns {
			out = append(out, f)
		}
	}
	return out
}

type linter struct {
	form   *Form
	pub    Published
	banned Banned
	asked  map[string][]*question // by document
	out    []Finding
}

func (l *linter) add(path, code, rule string, warns bool, args ...string) {
	l.out = append(l.out, Finding{Path: path, Code: code, Args: pairs(args), Articles: l.banned.Articles[rule], Warns: warns})
}

func (l *linter) document(id string) *Required {
	for i := range l.pub.Documents {
		if l.pub.Documents[i].ID == id {
			return &l.pub.Documents[i]
		}
	}
	return nil
}

func (l *linter) question(q *question) {
	if q.Kind == "file" && q.Evidence == "" {
		l.add(q.at, "file.unlisted", "documents", false)
	}
	if q.Evidence == "" {
		return
	}
	l.asked[q.Evidence] = append(l.asked[q.Evidence], q)
	d := l.document(q.Evidence)
	if d == nil {
		l.add(q.at+".evidence", "evidence.unknown", "documents", false, "id", q.Evidence)
		return
	}
	if slices.Contains(l.pub.ApplicationTypes, d.Type) && d.Type != "" {
		l.add(q.at, "evidence.application", "principles", false, "id", d.ID)
	}
	switch {
	case d.ByAdministration && q.Kind == "file" && !l.fallback(q):
		l.add(q.at, "evidence.held", "fetch", false, "id", d.ID, "from", d.From)
	case d.ByAdministration && q.Once != nil && d.From != "" && q.Once.From != d.From:
		l.add(q.at+".once.from", "once.other", "fetch", false, "id", d.ID, "from", d.From)
	}
	for _, b := range l.banned.Bans {
		if d.is(b.Code) {
			l.out = append(l.out, Finding{Path: q.at, Code: "ban." + b.Code, Args: pairs([]string{"id", d.ID}), Articles: b.Articles})
		}
	}
}

// fallback reports whether the same document is also offered to be fetched, under
// a condition, so that a file is asked only where fetching does not apply.
func (l *linter) fallback(q *question) bool {
	if q.When == "" && q.page.When == "" {
		return false
	}
	for _, o := range l.form.questions {
		if o.Kind == "evidence" && o.Evidence == q.Evidence && (o.When != "" || o.page.When != "") {
			return true
		}
	}
	return false
}

func (d *Required) is(code string) bool {
	switch code {
	case "copies":
		return d.Copies > 1
	case "legalised":
		return d.Legalised
	case "certified":
		return d.Certified
	case "not_personal":
		return d.NotPersonal
	}
	return false
}

// repeated finds documents asked for more than once.
func (l *linter) repeated() {
	for _, id := range slices.Sorted(keysOf(l.asked)) {
		qs := slices.DeleteFunc(slices.Clone(l.asked[id]), func(q *question) bool { return q.Kind != "file" && q.Kind != "evidence" })
		if len(qs) < 2 {
			continue
		}
		always := 0
		for _, q := range qs {
			if q.When == "" && q.page.When == "" {
				always++
			}
		}
		// Two questions under conditions may exclude each other: a person looks.
		l.add(qs[1].at+".evidence", "evidence.twice", "principles", always == 0, "id", id, "n", fmt.Sprint(len(qs)))
	}
}

// forgotten finds documents that the person must bring and is never asked for.
func (l *linter) forgotten() {
	for _, d := range l.pub.Documents {
		if !d.ByAdministration && l.asked[d.ID] == nil && (d.Type == "" || !slices.Contains(l.pub.ApplicationTypes, d.Type)) {
			l.add("pages", "evidence.forgotten", "documents", true, "id", d.ID)
		}
	}
}

// wording looks for the words of a banned demand in what people read.
func (l *linter) wording() {
	look := func(path string, t gov.Text) {
		for _, b := range l.banned.Bans {
			for _, lang := range l.form.doc.Languages {
				text := " " + fold(t[lang]) + " "
				for _, w := range b.Words[lang] {
					if strings.Contains(text, " "+fold(w)+" ") {
						l.out = append(l.out, Finding{Path: path, Code: "ban." + b.Code, Args: map[string]string{"words": w}, Articles: b.Articles})
					}
				}
			}
		}
	}
	for i, p := range l.form.pages {
		look(fmt.Sprintf("pages[%d].title", i), p.Title)
		look(fmt.Sprintf("pages[%d].intro", i), p.Intro)
	}
	for _, q := range l.form.questions {
		look(q.at+".label", q.Label)
		look(q.at+".hint", q.Hint)
		for i, o := range q.Options {
			look(fmt.Sprintf("%s.options[%d].label", q.at, i), o.Label)
			look(fmt.Sprintf("%s.options[%d].hint", q.at, i), o.Hint)
		}
	}
}

// fold makes words comparable: lower case, no marks, one space between words.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.M, r) || r == '\u0640' {
			return -1
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return ' '
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return strings.Join(strings.Fields(s), " ")
}
