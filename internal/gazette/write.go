package gazette

import (
	"context"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gazette/extract"
	"diwan/internal/gazette/model"
)

// write keeps what was read from one file: the source, its issue, its works and
// their texts.
func (w *writer) write(ctx context.Context, tx *db.Tx, r *result, report *ImportReport) error {
	s := w.g.store
	if r.src.ID == "" { // its bytes could not even be read
		report.notice(failureNotice(r))
		return nil
	}
	if r.failure != nil {
		n := failureNotice(r)
		r.src.State, r.src.Code, r.src.Detail = SourceFailed, n.Code, short(n.Detail, 400)
		report.notice(n)
		return s.putSource(ctx, tx, r.src)
	}
	report.Read++
	report.Pages += int(r.src.Pages)
	if err := s.clearSource(ctx, tx, r.src.ID); err != nil {
		return err
	}
	if r.again {
		w.known.dropSource(r.src.ID)
	}
	if err := s.putSource(ctx, tx, r.src); err != nil {
		return err
	}
	if r.issue != nil && r.issue.Number > 0 {
		if err := w.writeIssue(ctx, tx, r); err != nil {
			return err
		}
	}
	ids := make([]string, len(r.found)) // addresses, for those that publish others
	for i := len(r.found) - 1; i >= 0; i-- {
		f := r.found[i]
		for _, a := range f.attached {
			if ids[a] != "" {
				f.text.Attached = append(f.text.Attached, ids[a])
			}
		}
		id, err := w.writeFound(ctx, tx, r, f, i, report)
		if err != nil {
			return err
		}
		ids[i] = id
	}
	return nil
}

// failureNotice says in the report why a file was not taken.
func failureNotice(r *result) Notice {
	code, detail := codeOf(r.failure)
	return Notice{Name: r.src.Name, Code: code, Detail: detail, Fatal: true}
}

func (w *writer) writeIssue(ctx context.Context, tx *db.Tx, r *result) error {
	ref := r.issue.IssueRef
	id := issueAddress(w.g.country.Code, ref)
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_issue WHERE id = $1`, id); err != nil {
		return err
	}
	return w.g.store.insert(ctx, tx, "gazette_issue", issueColumns, [][]any{{id, ref.Edition, yearOf(ref.Date, id), ref.Number, ref.Bis, ref.Date, jsonOf(ref.Hijri),
		r.src.ID, r.demo, jsonOf(r.issue.Summary)}})
}

const issueColumns = `id, edition, year, number, bis, day, hijri, source, demo, summary`

// writeFound keeps one text and returns the address of its work.
func (w *writer) writeFound(ctx context.Context, tx *db.Tx, r *result, f *found, n int, report *ImportReport) (string, error) {
	src := r.src
	f.work.ID = w.g.address(&f.work, sourceKey(src.SHA256))
	if src.Format == extract.FormatAKN && f.given != "" {
		f.work.ID = f.given // it came with its address
	}
	if n > 0 && strings.Contains(f.work.ID, "/x-") {
		f.work.ID += "-" + itoa(n+1) // several acts without a number in one file
	}
	where, e, err := w.place(ctx, tx, src, f, report)
	if err != nil {
		return "", err
	}
	if where == sameText {
		report.Duplicates++
		report.notice(Notice{Name: src.Name, Code: "duplicate", Detail: e.work.ID})
		return e.work.ID, nil
	}
	now := w.g.clock.Now()
	if e == nil {
		work := f.work
		work.Titles = map[model.Lang]string{f.text.Lang: titleOf(f)}
		if err := w.g.store.putWorks(ctx, tx, []*model.Work{&work}, now); err != nil {
			return "", err
		}
		e = w.known.addWork(&work)
		report.Works++
		w.published(r, work.ID, f.text.Version)
	} else if merged, changed := mergeWork(e.work, f); changed {
		if err := w.g.store.putWorks(ctx, tx, []*model.Work{merged}, now); err != nil {
			return "", err
		}
		old := e.work
		e.work = merged
		w.known.journal = append(w.known.journal, func() { e.work = old })
	}
	f.work.ID = e.work.ID
	return e.work.ID, w.writeText(ctx, tx, src, f, e, n, report)
}

// place finds the work of a text. Where its number is taken by a different text
// it gets an address beside that one's: the same for each of its copies.
func (w *writer) place(ctx context.Context, tx *db.Tx, src *Source, f *found, report *ImportReport) (place, *entry, error) {
	sample := func(id string) (map[uint32]bool, error) { return w.sample(ctx, tx, id) }
	taken := f.work.ID
	for k := 1; ; k++ {
		if k > 1 {
			f.work.ID = taken + "_" + itoa(k)
		}
		if to := w.known.moved[f.work.ID]; to != "" {
			f.work.ID = to // a person gave it its number; the digits inside stay doubtful
			f.text.Problems = append(f.text.Problems, model.Problem{Code: digitsSuspect})
		}
		where, e, err := w.known.find(f.work.ID, f, sample)
		if err != nil || where == sameText {
			return where, e, err
		}
		if where == otherWork {
			continue
		}
		if k > 1 {
			f.text.Problems = append(f.text.Problems, model.Problem{Code: "number_taken", Detail: taken})
			report.notice(Notice{Name: src.Name, Code: "number_taken", Detail: taken + " → " + f.work.ID})
		}
		return where, e, nil
	}
}

func titleOf(f *found) string {
	if f.text.Title != "" {
		return f.text.Title
	}
	return f.text.Short
}

// mergeWork adds what a further text knows of a work: its title in another
// language, the date that the first one did not print.
func mergeWork(have *model.Work, f *found) (*model.Work, bool) {
	w := *have
	changed := false
	if w.Titles[f.text.Lang] == "" && titleOf(f) != "" {
		titles := map[model.Lang]string{f.text.Lang: titleOf(f)}
		for l, t := range have.Titles {
			titles[l] = t
		}
		w.Titles, changed = titles, true
	}
	if w.Signed == "" && f.work.Signed != "" {
		w.Signed, w.Hijri, changed = f.work.Signed, f.work.Hijri, true
	}
	if w.Subject == "" && f.work.Subject != "" {
		w.Subject, changed = f.work.Subject, true
	}
	return &w, changed
}

func (w *writer) writeText(ctx context.Context, tx *db.Tx, src *Source, f *found, e *entry, n int, report *ImportReport) error {
	t := f.text
	t.ID, t.Work, t.Created, t.By = textID(src.ID, n), e.work.ID, w.g.clock.Now(), w.opts.Actor.ID
	for _, r := range f.rows {
		r.TextID, r.Work = t.ID, t.Work
		r.From = t.Version
		if r.IsArticle() {
			report.Articles++
		}
	}
	lost, err := w.g.reapply(ctx, tx, t.ID, t.Lang, f.rows)
	if err != nil {
		return err
	}
	for _, eid := range lost {
		report.notice(Notice{Name: src.Name, Code: "correction_lost", Detail: t.Work + anchor(eid)})
	}
	if err := w.g.store.putText(ctx, tx, t, f.rows); err != nil {
		return err
	}
	if err := w.g.store.putLinks(ctx, tx, t, f.links); err != nil {
		return err
	}
	if err := w.g.store.putOperations(ctx, tx, t, f.ops); err != nil {
		return err
	}
	w.known.addText(e, entryText{id: t.ID, digest: t.Digest, lang: t.Lang, form: t.Form, words: f.words})
	report.Texts++
	return nil
}

// sample reads the words of a text that is in the database.
func (w *writer) sample(ctx context.Context, tx *db.Tx, text string) (map[uint32]bool, error) {
	rows, err := w.g.store.rowsOf(ctx, tx, text)
	if err != nil {
		return nil, err
	}
	f := &found{text: &Text{}}
	var pieces []model.Piece
	for _, r := range rows {
		if r.By == "" {
			pieces = append(pieces, r.Piece)
		}
	}
	f.setPieces(pieces)
	return f.words, nil
}

// short cuts a text for a message.
func short(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max], "") + "…"
}
