package gazette

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"diwan/internal/gazette/markup"
	"diwan/internal/gazette/model"
	"diwan/lexis"
	"diwan/protocol/akn"
)

// found is one work's text as it was found in a source, before it is known
// whether the gazette holds the work already.
type found struct {
	work  model.Work
	text  *Text
	rows  []*Row
	links []model.Link
	ops   []model.Operation
	// attached are the texts that this one publishes, by their place in the list
	// of what was found in the source.
	attached []int
	given    string          // the address it came with
	words    map[uint32]bool // sample of its words, to tell two texts of one number apart
}

// positionStep leaves room between two pieces for those that amendments put in.
const positionStep = 1 << 10

// findAll turns the acts of a document into works and texts. Numbers and dates
// of a suspect source are left out.
func findAll(t *model.Text, doc *model.Document, src *Source) []*found {
	var out []*found
	var walk func(a *model.Act, parent *found) int
	walk = func(a *model.Act, parent *found) int {
		f := oneAct(t, a, src)
		if len(a.Publication) == 0 && parent != nil {
			f.text.Publication = parent.text.Publication
		}
		if parent != nil && f.work.Signed == "" {
			f.work.Signed, f.work.Hijri = parent.work.Signed, parent.work.Hijri
		}
		if doc.Issue != nil && doc.Issue.Number > 0 {
			f.text.Publication = inIssue(f.text.Publication, doc.Issue.IssueRef)
		}
		f.text.Version = versionOf(f)
		out = append(out, f)
		at := len(out) - 1
		for i := range a.Attached {
			f.attached = append(f.attached, walk(&a.Attached[i], f))
		}
		return at
	}
	for i := range doc.Acts {
		walk(&doc.Acts[i], nil)
	}
	return out
}

func oneAct(t *model.Text, a *model.Act, src *Source) *found {
	f := &found{work: model.Work{Kind: a.Kind, Number: a.Number, Signed: a.Signed, Hijri: a.Hijri, Authority: oneLine(a.Authority), Suspect: t.Suspect}}
	f.text = &Text{Expression: model.Expression{Lang: t.Lang, Form: model.OriginalForm, Title: oneLine(a.Title), Short: oneLine(a.Short),
		Publication: a.Publication, Consolidated: a.Consolidated, Problems: a.Problems, Source: src.ID}}
	if a.Consolidated != nil {
		f.text.Form = model.ConsolidatedForm
	}
	if t.Suspect {
		f.work.Number, f.work.Signed, f.work.Hijri = "", "", model.Hijri{}
		f.text.Publication = nil
	}
	f.setPieces(markup.Pieces(t, a))
	return f
}

// setPieces gives a text its rows, with eIds made unique: two pieces under one
// address could not both be cited.
func (f *found) setPieces(pieces []model.Piece) {
	seen, copies := make(map[string]bool, len(pieces)), map[string]int{}
	all, law := &strings.Builder{}, &strings.Builder{}
	for i := range pieces {
		p := pieces[i]
		if !akn.ValidID(p.EID) || len(p.EID) > maxEID {
			p.EID = "x"
		}
		base := strings.TrimSuffix(p.EID, "_")
		for seen[p.EID] {
			copies[base]++
			p.EID = base + "_d" + itoa(copies[base]+1)
		}
		seen[p.EID] = true
		f.rows = append(f.rows, &Row{Piece: p, Position: int64(i+1) * positionStep})
		all.WriteString(p.Num + " " + p.Heading + " " + p.Text + "\n")
		if p.IsArticle() || p.Kind == model.PieceText {
			law.WriteString(p.Text + "\n")
		}
	}
	f.text.Digest = digest(all.String())
	if law.Len() == 0 {
		law = all
	}
	f.words = sample(law.String()) // not the formulas, which all acts share
}

// maxEID leaves room for what is put behind the eId of a piece in addresses.
const maxEID = 150

// digest is the hash of a text's words, whatever its spaces, marks and spelling
// variants.
func digest(s string) string {
	words := make([]byte, 0, len(s)+1)
	for w := range strings.FieldsSeq(lexis.NormalizeArabic(s)) {
		words = append(append(words, w...), ' ')
	}
	sum := sha256.Sum256(words)
	return hex.EncodeToString(sum[:16])
}

// sample takes the first long words of a text, to compare it with others.
func sample(s string) map[uint32]bool {
	words := map[uint32]bool{}
	for w := range strings.FieldsSeq(s) {
		if len(words) == maxSample {
			break
		}
		if w = lexis.NormalizeArabic(w); len(w) > 6 {
			words[hashWord(w)] = true
		}
	}
	return words
}

// maxSample bounds the words kept to compare two texts.
const maxSample = 400

func hashWord(w string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(w); i++ {
		h = (h ^ uint32(w[i])) * 16777619
	}
	return h
}

// alike tells how much of the smaller sample the other one shares, 0 to 1.
func alike(a, b map[uint32]bool) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	n := 0
	for w := range a {
		if b[w] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// versionOf is the day from which a text reads so: of an edition that holds
// later changes its own day, else the day of publication, else of signature.
func versionOf(f *found) model.Date {
	if c := f.text.Consolidated; c != nil && len(c.Date) == len("2006-01-02") && !f.work.Suspect {
		return c.Date
	}
	for _, p := range f.text.Publication {
		if len(p.Date) == len("2006-01-02") {
			return p.Date
		}
	}
	if len(f.work.Signed) == len("2006-01-02") {
		return f.work.Signed
	}
	return ""
}

// inIssue puts the issue that a text was read from before those it names itself.
func inIssue(refs []model.IssueRef, issue model.IssueRef) []model.IssueRef {
	for _, r := range refs {
		if r.Number == issue.Number {
			return refs
		}
	}
	return append([]model.IssueRef{issue}, refs...)
}

// named is the text that the title of a file's entry in a list is about: the one
// whose own title shares most words with it; nil when there is none.
func named(all []*found, title string) *found {
	want := sample(title)
	var best *found
	most := -1.0
	for i, f := range all {
		have := sample(f.text.Title)
		if score := alike(want, have) + float64(i)*1e-6; score > most {
			best, most = f, score
		}
	}
	return best
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
