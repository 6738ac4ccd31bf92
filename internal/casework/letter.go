package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"diwan/internal/casework/document"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Letter is a letter that an administration writes often. In its text {{name}} is
// the place of a field.
type Letter struct {
	ID, Name      string
	Lang          gov.Lang
	Subject, Body string
}

// LetterFields are the fields that a letter may use: facts of the case, none of
// them what the person answered.
var LetterFields = []string{"applicant", "number", "procedure", "office", "filed", "due", "today", "officer"}

// letterRef marks a message that is a letter: its first line is the subject, and it
// can be had as a sealed document.
const letterRef = "letter"

// Bounds of letters.
const (
	maxLetters    = 100
	maxLetterName = 100
	maxSubject    = 200
)

// Letters lists those of an administration, by name.
func (w *Casework) Letters(ctx context.Context, administration string) ([]Letter, error) {
	return letters(ctx, w.DB.Reader(), `administration = $1 ORDER BY name, id`, administration)
}

func letters(ctx context.Context, q querier, where string, args ...any) ([]Letter, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, name, lang, subject, body FROM casework_letter WHERE `+where+fmt.Sprintf(" LIMIT %d", maxLetters), args...)
	if err != nil {
		return nil, fmt.Errorf("listing letters: %w", err)
	}
	defer rows.Close()
	var out []Letter
	for rows.Next() {
		var l Letter
		if err := rows.Scan(&l.ID, &l.Name, &l.Lang, &l.Subject, &l.Body); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// SaveLetter keeps a letter, a new one when it has no id. A field that does not
// exist is refused here and never leaves a hole in somebody's letter.
func (w *Casework) SaveLetter(ctx context.Context, by gov.Actor, l Letter) (Letter, error) {
	if err := w.May(ctx, by, MayAssign, &Case{Administration: by.Administration, Unit: by.Unit}); err != nil {
		return l, err
	}
	l.Name, l.Subject, l.Body = strings.Join(strings.Fields(l.Name), " "), strings.Join(strings.Fields(l.Subject), " "), strings.TrimSpace(l.Body)
	_, known := w.Country.Language(l.Lang)
	switch {
	case l.Name == "" || utf8.RuneCountInString(l.Name) > maxLetterName || l.Subject == "" || utf8.RuneCountInString(l.Subject) > maxSubject || l.Body == "" || !known,
		!utf8.ValidString(l.Name + l.Subject + l.Body), strings.ContainsRune(l.Name+l.Subject+l.Body, 0):
		return l, problem.New(problem.Invalid, "letter.incomplete")
	}
	if _, err := document.ParseTemplate(l.Subject+"\n\n"+l.Body, LetterFields); err != nil {
		return l, problem.Wrap(err, problem.Invalid, "letter.fields")
	}
	return l, w.DB.RunTx(ctx, func(tx *db.Tx) error {
		if l.ID == "" {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_letter WHERE administration = $1`, by.Administration).Scan(&n); err != nil {
				return err
			}
			if n >= maxLetters {
				return problem.New(problem.Invalid, "letter.many")
			}
			l.ID = gov.NewID()
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO casework_letter (id, administration, name, lang, subject, body, made_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, lang = excluded.lang, subject = excluded.subject, body = excluded.body, made_by = excluded.made_by,
				changed_at = excluded.changed_at WHERE casework_letter.administration = excluded.administration`,
			l.ID, by.Administration, l.Name, string(l.Lang), l.Subject, l.Body, by.ID, db.Micros(w.Clock.Now()))
		if err != nil {
			return fmt.Errorf("keeping a letter: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.New(problem.NotFound, "letter.not_found"))
		}
		return nil
	})
}

// Letter returns one of an administration.
func (w *Casework) Letter(ctx context.Context, administration, id string) (Letter, error) {
	if isID(id) {
		all, err := letters(ctx, w.DB.Reader(), `id = $1 AND administration = $2`, id, administration)
		if err != nil || len(all) == 1 {
			return append(all, Letter{})[0], err
		}
	}
	return Letter{}, problem.New(problem.NotFound, "letter.not_found")
}

// DropLetter forgets a letter; those that were sent stay in their cases.
func (w *Casework) DropLetter(ctx context.Context, by gov.Actor, id string) error {
	if err := w.May(ctx, by, MayAssign, &Case{Administration: by.Administration, Unit: by.Unit}); err != nil || !isID(id) {
		return err
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_letter WHERE id = $1 AND administration = $2`, id, by.Administration)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
}

// FillLetter puts a case's facts into a letter. day writes a day as readers do. What
// the case lacks, such as a last day once it is decided, is an error that names it.
func (w *Casework) FillLetter(ctx context.Context, by gov.Actor, c *Case, l Letter, day func(gov.Date) string) (string, error) {
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return "", err
	}
	content, err := w.Content(ctx, c)
	if err != nil {
		return "", err
	}
	in := func(t gov.Text) string {
		s, _ := t.In(l.Lang, w.Country.Order())
		return s
	}
	values := map[string]string{"applicant": in(content.Applicant), "number": c.Number, "procedure": in(t.Name), "office": in(w.OfficeName(c.Administration)),
		"filed": day(c.Filed), "today": day(w.today()), "officer": in(by.Name)}
	if !c.Due.IsZero() {
		values["due"] = day(c.Due)
	}
	tpl, err := document.ParseTemplate(l.Subject+"\n\n"+l.Body, LetterFields)
	if err != nil {
		return "", problem.Wrap(err, problem.Invalid, "letter.fields")
	}
	out, err := tpl.Fill(values)
	if err != nil {
		return "", problem.Wrap(err, problem.Invalid, "letter.lacks")
	}
	return out, nil
}

// splitLetter separates the subject of a letter from its text.
func splitLetter(s string) (subject, text string) {
	subject, text, _ = strings.Cut(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	return strings.TrimSpace(subject), strings.TrimSpace(text)
}
