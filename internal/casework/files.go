package casework

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Files keeps what people hand in.
type Files interface {
	// Receive takes one file for a draft. It is checked by its content, and can't
	// be read by anybody before it was found clean.
	Receive(ctx context.Context, d *Draft, name string, r io.Reader) (form.File, error)
	// Claim returns a file that was sent in parts for a draft.
	Claim(ctx context.Context, d *Draft, id string) (form.File, error)
	// ReceiveFor takes one file for a case.
	ReceiveFor(ctx context.Context, c *Case, filer, name string, r io.Reader) (form.File, error)
	// OfCase lists the files of a case, those put aside included.
	OfCase(ctx context.Context, caseID string) ([]Attached, error)
	// OfDraft lists the files of a draft.
	OfDraft(ctx context.Context, d *Draft) ([]Attached, error)
	// Serve answers with a file of a case that was found clean.
	Serve(w http.ResponseWriter, r *http.Request, c *Case, id string) error
	// Preview answers with a picture of the first page of such a file, drawn anew here.
	Preview(w http.ResponseWriter, r *http.Request, c *Case, id string) error
	// PreviewDraft does so for a file of a draft.
	PreviewDraft(w http.ResponseWriter, r *http.Request, d *Draft, id string) error
	// Take makes the files of a draft those of the case that it became, in the
	// same transaction.
	Take(ctx context.Context, tx *db.Tx, draft, caseID string) error
}

// Attached is a file of a case.
type Attached struct {
	ID, Name, Type string
	Size           int64 // bytes
	State          string
	Reason         string // code, when it was put aside
	Openable       bool
	Previewed      bool // a picture of it can be drawn here
	On             gov.Date
}

// Kilobytes is its size as people read it.
func (a Attached) Kilobytes() int { return int((a.Size + 1023) / 1024) }

// takeFiles gives a new case the files that its draft gathered.
func (w *Casework) takeFiles(ctx context.Context, tx *db.Tx, c *Case, f Filing) error {
	if w.Files == nil || f.Draft == "" {
		return nil
	}
	return w.Files.Take(ctx, tx, f.Draft, c.ID)
}

// UploadPath is where files go in parts, with the id of the draft in the query.
const UploadPath = "/uploads/"

// Bounds of one posted page.
const (
	maxPost      = 60 << 20
	maxFields    = 2000
	maxFieldSize = 11 << 20 // a field that is too long is said to be, by its name
)

// receive reads a posted page: its fields into r.PostForm, its files to where
// files are kept. Files come one after another and are never whole in memory here.
func (m *Mine) receive(w http.ResponseWriter, r *http.Request, x *writing) (map[string][]form.File, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, tooLarge(r.ParseForm())
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, problem.New(problem.Invalid, "form.malformed")
	}
	r.PostForm = url.Values{}
	files := map[string][]form.File{}
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, m.claim(r, x, files)
		}
		if err != nil {
			return nil, tooLarge(err)
		}
		if n == maxFields {
			return nil, problem.New(problem.Invalid, "form.malformed")
		}
		if err := m.part(r, x, p, files); err != nil {
			return nil, err
		}
	}
}

// sentSuffix ends the names of fields that say which files came in parts.
const sentSuffix = ".sent"

// claim adds the files that the page's script has sent in parts already.
func (m *Mine) claim(r *http.Request, x *writing, files map[string][]form.File) error {
	if m.Files == nil {
		return nil
	}
	for name, ids := range r.PostForm {
		field, ok := strings.CutSuffix(name, sentSuffix)
		if !ok {
			continue
		}
		for _, id := range ids {
			f, err := m.Files.Claim(r.Context(), &x.Draft, id)
			if err != nil {
				return err
			}
			files[field] = append(files[field], f)
		}
		delete(r.PostForm, name)
	}
	return nil
}

func (m *Mine) part(r *http.Request, x *writing, p *multipart.Part, files map[string][]form.File) error {
	if p.FileName() == "" {
		b, err := io.ReadAll(io.LimitReader(p, maxFieldSize))
		if err != nil {
			return tooLarge(err)
		}
		if p.Header.Get("Content-Type") == "" { // an empty choice of a file is no field
			r.PostForm.Add(p.FormName(), string(b))
		}
		return nil
	}
	if m.Files == nil {
		return problem.New(problem.Unavailable, "upload.none")
	}
	f, err := m.Files.Receive(r.Context(), &x.Draft, p.FileName(), p)
	if err != nil {
		return tooLarge(err)
	}
	files[p.FormName()] = append(files[p.FormName()], f)
	return nil
}

// tooLarge says that a request was over its bound.
func tooLarge(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem.New(problem.Invalid, "upload.request_too_large")
	}
	return err
}
