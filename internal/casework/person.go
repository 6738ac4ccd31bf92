package casework

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Retention is how long what an administration must not forget is kept, from the
// country's data.
type Retention struct {
	// MessagesDays is how long after the end of a case the messages in it stay.
	MessagesDays int `json:"messages_days"`
	// Status says whether the figure was read in a text or is unverified.
	Status string `json:"status"`
}

// maxExport bounds the cases of one export; nobody has so many.
const maxExport = 500

// exportFile is one document of an export.
type exportFile struct {
	name string
	body any
}

// Export writes everything that is held about a person as a ZIP of JSON files: the
// cases they filed or that concern them with all that was said, drafts, consents,
// what they were told. Notes that officers made for themselves are part of it: they
// are about the person.
func (w *Casework) Export(ctx context.Context, person string, to io.Writer) error {
	var files []exportFile
	for _, read := range []func(context.Context, string) ([]exportFile, error){w.exportCases, w.exportDrafts, w.exportConsents, w.exportNotices, w.exportAfter} {
		some, err := read(ctx, person)
		if err != nil {
			return err
		}
		files = append(files, some...)
	}
	z := zip.NewWriter(to)
	for _, f := range files {
		b, err := json.MarshalIndent(f.body, "", " ")
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
		part, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: w.Clock.Now()})
		if err == nil {
			_, err = io.Copy(part, bytes.NewReader(b))
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.name, err)
		}
	}
	return z.Close()
}

type exportedCase struct {
	apiCase
	Terms     *Terms          `json:"terms"`
	Applicant gov.Text        `json:"applicant,omitempty"`
	For       gov.Text        `json:"filed_by,omitempty"`
	Answers   json.RawMessage `json:"answers,omitempty"`
	Fetched   []*Evidence     `json:"fetched,omitempty"`
	Journal   []apiEvent      `json:"journal"`
}

func (w *Casework) exportCases(ctx context.Context, person string) (files []exportFile, err error) {
	list, err := w.CasesOf(ctx, person)
	if err != nil {
		return nil, err
	}
	for _, c := range list[:min(len(list), maxExport)] {
		x := exportedCase{apiCase: plainCase(c)}
		if x.Terms, err = w.TermsOf(ctx, c); err != nil {
			return nil, err
		}
		content, err := w.Content(ctx, c)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return nil, err
		}
		x.Applicant, x.For, x.Answers = content.Applicant, content.For, content.Answers
		if x.Fetched, err = w.EvidenceOfCase(ctx, c.Number); err != nil {
			return nil, err
		}
		journal, err := w.Journal(ctx, c)
		if err != nil {
			return nil, err
		}
		for _, e := range journal {
			x.Journal = append(x.Journal, plainEvent(e))
		}
		files = append(files, exportFile{"cases/" + c.Number + ".json", x})
	}
	return files, nil
}

func (w *Casework) exportDrafts(ctx context.Context, person string) ([]exportFile, error) {
	list, err := w.Drafts(ctx, person)
	type draft struct {
		ID             string          `json:"id"`
		Administration string          `json:"administration"`
		Procedure      string          `json:"procedure"`
		Updated        string          `json:"updated"`
		Answers        json.RawMessage `json:"answers"`
	}
	out := []draft{}
	for _, d := range list {
		out = append(out, draft{d.ID, d.Administration, d.Procedure, d.Updated.Format("2006-01-02T15:04:05Z07:00"), d.Answers})
	}
	return []exportFile{{"drafts.json", out}}, err
}

func (w *Casework) exportConsents(ctx context.Context, person string) ([]exportFile, error) {
	list, err := w.Consents(ctx, person)
	if list == nil {
		list = []*Evidence{}
	}
	return []exportFile{{"consents.json", list}}, err
}

func (w *Casework) exportNotices(ctx context.Context, person string) ([]exportFile, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT n.kind, COALESCE(c.number, ''), n.made_at FROM casework_notice n LEFT JOIN casework_case c ON c.administration = n.administration AND c.id = n.case_id
		WHERE n.to_account = $1 ORDER BY n.made_at LIMIT 10000`, person)
	if err != nil {
		return nil, fmt.Errorf("reading what a person was told: %w", err)
	}
	defer rows.Close()
	type notice struct {
		Kind   string `json:"kind"`
		Number string `json:"number,omitempty"`
		At     string `json:"at"`
	}
	out := []notice{}
	for rows.Next() {
		var n notice
		var at int64
		if err := rows.Scan(&n.Kind, &n.Number, &at); err != nil {
			return nil, err
		}
		n.At = db.Time(at).Format("2006-01-02T15:04:05Z07:00")
		out = append(out, n)
	}
	return []exportFile{{"notices.json", out}}, rows.Err()
}

// Erased is what an erasure did, and what it had to leave.
type Erased struct {
	Drafts, Consents, Messages int
	// Open are cases under way, Recent those that ended too lately, Kept those of
	// which the decision and its grounds stay on record.
	Open, Recent, Kept []string
}

// Erase forgets of a person what the law lets be forgotten: drafts, consents that no
// case rests on, the messages of cases that ended long enough ago. Cases under way
// and what an administration must be able to show stay, and the answer says so. The
// journals stay whole: in the place of what was said stands its digest.
func (w *Casework) Erase(ctx context.Context, person string) (out Erased, err error) {
	list, err := w.CasesOf(ctx, person)
	if err != nil {
		return out, err
	}
	var old []*Case
	for _, c := range list {
		if c.Person != person {
			continue // of somebody they acted for
		}
		ended := gov.DateOf(c.Updated, w.Country.Zone()).AddDays(w.Retention.MessagesDays)
		switch {
		case c.Open:
			out.Open = append(out.Open, c.Number)
		case !ended.Before(w.today()):
			out.Recent = append(out.Recent, c.Number)
		default:
			out.Kept = append(out.Kept, c.Number)
			old = append(old, c)
		}
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		out.Messages = 0
		if out.Drafts, err = deleted(ctx, tx, `DELETE FROM casework_draft WHERE filer = $1 AND person = $1 AND filed = ''`, person); err != nil {
			return err
		}
		if out.Consents, err = deleted(ctx, tx, `DELETE FROM casework_evidence WHERE person = $1 AND case_number = ''`, person); err != nil {
			return err
		}
		if err := w.eraseAfter(ctx, tx, person); err != nil {
			return err
		}
		for _, c := range old {
			n, err := eraseMessages(ctx, tx, c)
			if err != nil {
				return err
			}
			out.Messages += n
		}
		return nil
	})
	return out, err
}

func deleted(ctx context.Context, tx *db.Tx, query string, args ...any) (int, error) {
	r, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("forgetting what a person left: %w", err)
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// eraseMessages puts the digest of each message of a case in its place.
func eraseMessages(ctx context.Context, tx *db.Tx, c *Case) (n int, err error) {
	all, _, err := events(ctx, tx, c)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		if e.Type != MessageSent || len(e.sealed) == 0 || isErased(e.sealed) {
			continue
		}
		if _, err := deleted(ctx, tx, `UPDATE casework_event SET sealed = $4 WHERE administration = $1 AND case_id = $2 AND seq = $3`, c.Administration, c.ID, e.Seq, []byte(erasedMark+digestOf(e.sealed))); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// erasedMark begins what stands in the place of something that was erased, before
// its digest. What is sealed begins with bytes by chance, and never so.
const erasedMark = "erased sha256 "

func isErased(sealed []byte) bool { return strings.HasPrefix(string(sealed), erasedMark) }

// digestOf is what a journal's chain holds of something sealed, also when it was
// erased since.
func digestOf(sealed []byte) string {
	if d, ok := strings.CutPrefix(string(sealed), erasedMark); ok {
		return d
	}
	return hashOf("sealed", string(sealed))
}
