package catalogue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/catalogue/decrees"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
)

// ActWords is what we say of an act that its list does not: its name in other
// languages, made here and to be reviewed, and where it belongs.
type ActWords struct {
	ID       string
	Name     gov.Text
	Themes   []string
	Audience []string
	// SameAs is the described procedure that the act is, if one is.
	SameAs   string
	Keywords map[gov.Lang][]string
}

// UnmarshalJSON reads {"id", "themes", "audience", "same_as", "keywords"} and,
// under any other key, the name in that language.
func (w *ActWords) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	known := map[string]any{"id": &w.ID, "themes": &w.Themes, "audience": &w.Audience, "same_as": &w.SameAs, "keywords": &w.Keywords}
	w.Name = gov.Text{}
	for k, v := range raw {
		if into, ok := known[k]; ok {
			if err := json.Unmarshal(v, into); err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			continue
		}
		var s string
		if err := json.Unmarshal(v, &s); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		w.Name[gov.Lang(k)] = s
	}
	return nil
}

// ReadActWords reads the files of the folder catalogue/translations of a pack.
func ReadActWords(files fs.FS, decode Decode) (map[string]*ActWords, error) {
	var all []*ActWords
	if err := readAll(files, decode, "catalogue/translations/*.json", &all); err != nil {
		return nil, err
	}
	words := make(map[string]*ActWords, len(all))
	for _, w := range all {
		if _, double := words[w.ID]; double {
			return nil, fmt.Errorf("the words of the act %s are given twice", w.ID)
		}
		words[w.ID] = w
	}
	return words, nil
}

// rowKey names one row of a list.
type rowKey struct{ list, number string }

// ActProcedures turns acts into procedures that are known from their lists
// alone: the name as printed, the administration, the deadline, and what the
// statute itself says of silence, appeals and extension for decisions in or
// outside those lists. An act that a described procedure already is gets no
// second page. The result is in the order of the acts.
func ActProcedures(acts []decrees.Act, words map[string]*ActWords, described []*model.Procedure, c *gov.Country, checked gov.Date) []*model.Procedure {
	taken := map[rowKey]bool{}
	ids := map[string]bool{}
	for _, p := range described {
		ids[p.ID] = true
		for _, l := range p.Listed {
			taken[rowKey{l.List, l.Number}] = true
		}
	}
	var out []*model.Procedure
	for _, a := range acts {
		w := words[a.ID]
		if w == nil {
			w = &ActWords{}
		}
		if ids[w.SameAs] || slices.ContainsFunc(a.Listed, func(r decrees.Ref) bool { return taken[rowKey{r.List, r.Number}] }) {
			continue
		}
		out = append(out, actProcedure(a, w, c, checked))
	}
	return out
}

func actProcedure(a decrees.Act, w *ActWords, c *gov.Country, checked gov.Date) *model.Procedure {
	law := c.Law
	first := c.Languages[0].Code
	p := &model.Procedure{
		ID: a.ID, Name: gov.Text{first: a.Name}, Keywords: w.Keywords, Themes: w.Themes, Audience: w.Audience,
		Competent: a.AdministrationID,
		Silence:   model.Silence{Effect: model.SilenceAppeal, Basis: rule(law, "appeal")},
		Extension: model.Extension{Possible: model.ExtensionNo, Basis: rule(law, "extension")},
		Remedies: []model.Remedy{{Kind: "administrative", To: law.Phrases["appeal_to"].Clone(), Within: law.Days["appeal"],
			Answer: law.Days["appeal_answer"], Basis: rule(law, "appeal")}},
	}
	for l, name := range w.Name {
		p.Name[l] = name
		p.Translated = append(p.Translated, l)
	}
	slices.Sort(p.Translated)
	local := false
	for _, r := range a.Listed {
		list, ok := c.List(r.List)
		if !ok {
			continue
		}
		p.Listed = append(p.Listed, model.Listing{List: r.List, Number: r.Number, Name: a.Name, Terms: differing(a, r, first)})
		p.LegalBasis = append(p.LegalBasis, model.LegalRef{Address: list.Act, Title: list.Title})
		p.Sources = append(p.Sources, model.Source{Title: list.Title, Address: list.Act, Checked: checked})
		switch list.Effect {
		case "silence":
			p.Silence = model.Silence{Effect: model.SilenceApproval, Basis: list.Act}
			local = local || len(a.Deadlines) == 0
		case "extension":
			p.Extension = model.Extension{Possible: model.ExtensionYes, Why: law.Phrases["why_extension"], Basis: list.Act}
		}
	}
	p.Deadline = actDeadline(a, c, first)
	if len(p.Deadline.Terms) == 0 {
		p.Deadline.Elsewhere = law.Phrases["deadline_unlisted"]
		if local {
			p.Deadline.Elsewhere = law.Phrases["deadline_local"]
		}
	}
	return p
}

// rule returns the first article of a rule.
func rule(l gov.Law, name string) gov.Address {
	if as := l.Articles[name]; len(as) > 0 {
		return as[0]
	}
	return l.Act
}

func actDeadline(a decrees.Act, c *gov.Country, first gov.Lang) model.Deadline {
	d := model.Deadline{Terms: terms(a.Deadlines, first)}
	for _, r := range a.Listed {
		list, _ := c.List(r.List)
		if len(d.Terms) > 0 && list.Effect != "extension" && differing(a, r, first) == nil {
			d.Basis = list.Act
			break
		}
	}
	return d
}

func terms(ds []decrees.Deadline, first gov.Lang) []model.Term {
	var out []model.Term
	for _, x := range ds {
		t := model.Term{Days: x.Days, AtOnce: x.AtOnce}
		if x.Condition != "" {
			t.When = gov.Text{first: x.Condition}
		}
		out = append(out, t)
	}
	return out
}

// differing returns the deadlines of a row that contradicts the act's own.
func differing(a decrees.Act, r decrees.Ref, first gov.Lang) []model.Term {
	for _, d := range a.Differing {
		if d.Ref == r {
			return terms(d.Deadlines, first)
		}
	}
	return nil
}

// DecreeReport says what an import of decrees did.
type DecreeReport struct {
	Tables  []TableReport `json:"tables"`
	Acts    int           `json:"acts"`
	Linked  int           `json:"linked"`  // acts that stand in more than one list
	Covered int           `json:"covered"` // acts that a described procedure already is
	Changed int           `json:"changed"`
}

// TableReport counts one decree.
type TableReport struct {
	File    string          `json:"file"`
	Decree  string          `json:"decree"`
	List    string          `json:"list"`
	Rows    int             `json:"rows"`
	Deleted int             `json:"deleted"`
	Live    int             `json:"live"`
	Values  int             `json:"deadlines"`
	Faults  []decrees.Fault `json:"faults"`
}

// CountTable counts a parsed table.
func CountTable(file string, t *decrees.Table) TableReport {
	r := TableReport{File: file, Decree: t.Decree, List: t.List, Rows: len(t.Rows), Faults: t.Faults}
	if r.Faults == nil {
		r.Faults = []decrees.Fault{}
	}
	for _, row := range t.Rows {
		if row.Deleted {
			r.Deleted++
		}
		r.Values += len(row.Deadlines)
	}
	r.Live = r.Rows - r.Deleted
	return r
}

// ImportListed brings procedures that official lists name into the catalogue,
// all or none, and reports how many were new or changed. Procedures that an
// editor has taken over stay as they are.
func (c *Catalogue) ImportListed(ctx context.Context, actor gov.Actor, ps []*model.Procedure) (changed int, err error) {
	now := c.clock.Now()
	err = c.store.db.RunTx(ctx, func(tx *db.Tx) error {
		changed = 0
		for _, p := range ps {
			did, err := c.offer(ctx, tx, actor, p, model.Listed, originImport, now)
			if err != nil {
				return err
			}
			changed += count(did)
		}
		if changed == 0 {
			return nil
		}
		if err := c.audit.Append(ctx, tx, chain, actor, "catalogue.import", "decrees", map[string]string{"changed": strconv.Itoa(changed)}); err != nil {
			return err
		}
		return c.store.bump(ctx, tx)
	})
	if err != nil {
		return 0, fmt.Errorf("importing official lists: %w", err)
	}
	return changed, c.Refresh(ctx)
}

// WriteLines writes procedures as a JSON array with one procedure a line, so
// that a change shows as a changed line.
func WriteLines(w io.Writer, ps []*model.Procedure) error {
	sep := "[\n"
	for _, p := range ps {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(p); err != nil {
			return err
		}
		if _, err := io.WriteString(w, sep+strings.TrimSuffix(b.String(), "\n")); err != nil {
			return err
		}
		sep = ",\n"
	}
	end := "\n]\n"
	if len(ps) == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(w, end)
	return err
}
