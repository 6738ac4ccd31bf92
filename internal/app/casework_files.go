package app

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"diwan/internal/blob"
	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/casework/upload"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
)

// InspectCommand is the subcommand that reads one PDF in a process of its own.
const InspectCommand = "inspect-pdf"

// InspectPDF is that subcommand; it returns its exit code.
func InspectPDF(in io.Reader) int { return upload.InspectMain(in) }

// caseFiles keeps what people hand in with their applications.
type caseFiles struct {
	store *upload.Store
	a     *App
}

// openCaseFiles opens the store of files, with a scanner where one is configured.
func (a *App) openCaseFiles() (*caseFiles, error) {
	blobs, err := blob.OpenFolder(filepath.Join(a.Config.Data, "case-files"))
	if err != nil {
		return nil, err
	}
	o := upload.Options{DB: a.DB, Blobs: blobs, Keys: a.Accounts, Clock: a.clock, Dir: filepath.Join(a.Config.Data, "incoming"), Log: a.log}
	if a.Config.VirusScanner != "" {
		if o.Scanner, err = upload.NewClamd(a.Config.VirusScanner); err != nil {
			return nil, err
		}
	}
	if program, err := os.Executable(); err == nil && filepath.Base(program) == "diwan" { // a test's file is another program
		o.Inspector = upload.Apart(program, InspectCommand)
	}
	s, err := upload.New(o)
	return &caseFiles{s, a}, err
}

func answerFile(f upload.File, err error) (form.File, error) {
	return form.File{Ref: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, SHA256: f.SHA256}, err
}

// Receive implements casework.Files.
func (c *caseFiles) Receive(ctx context.Context, d *casework.Draft, name string, r io.Reader) (form.File, error) {
	return answerFile(c.store.Receive(ctx, upload.Owner{Person: d.Person, Filer: d.Filer, Draft: d.ID}, name, r))
}

// Claim implements casework.Files.
func (c *caseFiles) Claim(ctx context.Context, d *casework.Draft, id string) (form.File, error) {
	return answerFile(c.store.Claim(ctx, upload.Owner{Person: d.Person, Filer: d.Filer, Draft: d.ID}, id))
}

// registerUploads mounts where files go in parts. The draft that they are for stands
// in the address, and is that of whoever is signed in.
func (a *App) registerUploads(mux *http.ServeMux, sessions *identity.Sessions) error {
	h, err := a.caseFiles.store.Resumable(casework.UploadPath, func(r *http.Request) (upload.Owner, error) {
		d, err := a.Casework.Draft(r.Context(), identity.Actor(r).ID, r.URL.Query().Get("draft"))
		return upload.Owner{Person: d.Person, Filer: d.Filer, Draft: d.ID}, err
	})
	if err == nil {
		mux.Handle(casework.UploadPath, a.metrics.wrap("uploads", sessions.Load(h)))
	}
	return err
}

// ReceiveFor implements casework.Files.
func (c *caseFiles) ReceiveFor(ctx context.Context, k *casework.Case, filer, name string, r io.Reader) (form.File, error) {
	return answerFile(c.store.Receive(ctx, upload.Owner{Person: k.Person, Filer: filer, Case: k.ID}, name, r))
}

// Take implements casework.Files.
func (c *caseFiles) Take(ctx context.Context, tx *db.Tx, draft, caseID string) error {
	return c.store.Take(ctx, tx, draft, caseID)
}

// OfCase implements casework.Files.
func (c *caseFiles) OfCase(ctx context.Context, caseID string) ([]casework.Attached, error) {
	list, err := c.store.OfCase(ctx, caseID)
	return c.attached(list), err
}

// OfDraft implements casework.Files.
func (c *caseFiles) OfDraft(ctx context.Context, d *casework.Draft) ([]casework.Attached, error) {
	list, err := c.store.OfDraft(ctx, d.ID)
	return c.attached(list), err
}

func (c *caseFiles) attached(list []upload.File) (out []casework.Attached) {
	for _, f := range list {
		out = append(out, casework.Attached{ID: f.ID, Name: f.Name, Type: f.Type, Size: f.Size, State: string(f.State), Reason: f.Reason, Openable: f.Openable(), Previewed: f.Openable() && upload.Previews(f),
			On: gov.DateOf(f.Created, c.a.Country.Zone())})
	}
	return out
}

// Serve implements casework.Files. The file is one of the case: no id of another
// opens anything.
func (c *caseFiles) Serve(w http.ResponseWriter, r *http.Request, k *casework.Case, id string) error {
	f, err := c.store.Get(r.Context(), upload.Owner{Case: k.ID}, id)
	if err != nil {
		return err
	}
	return c.store.Serve(w, r, f)
}

// Preview implements casework.Files.
func (c *caseFiles) Preview(w http.ResponseWriter, r *http.Request, k *casework.Case, id string) error {
	return c.preview(w, r, upload.Owner{Case: k.ID}, id)
}

// PreviewDraft implements casework.Files.
func (c *caseFiles) PreviewDraft(w http.ResponseWriter, r *http.Request, d *casework.Draft, id string) error {
	return c.preview(w, r, upload.Owner{Filer: d.Filer, Draft: d.ID}, id)
}

func (c *caseFiles) preview(w http.ResponseWriter, r *http.Request, o upload.Owner, id string) error {
	f, err := c.store.Get(r.Context(), o, id)
	if err != nil {
		return err
	}
	return c.store.ServePreview(w, r, f)
}

// sweep asks the scanner again for what it could not look at, and forgets the files
// of drafts that are gone.
func (c *caseFiles) sweep(ctx context.Context) error {
	if err := c.store.Sweep(ctx); err != nil {
		return err
	}
	return c.store.SweepDrafts(ctx, c.a.Casework.LiveDrafts)
}
