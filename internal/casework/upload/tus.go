package upload

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"diwan/internal/problem"

	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	expslog "golang.org/x/exp/slog"
)

// Resumable takes files in parts by the tus protocol (version 1.0.0, with creation,
// termination and the upload of a first part at creation) below a path that ends
// in a slash. owner says whose file a request brings; its error is the answer.
//
// A file that all parts of came is checked as in Receive before the last answer,
// and has the id that is the end of its address. When it is refused, that answer
// is 422 with the code of the problem in the header Diwan-Problem.
func (s *Store) Resumable(base string, owner func(*http.Request) (Owner, error)) (http.Handler, error) {
	c := handler.NewStoreComposer()
	d := &parts{s}
	c.UseCore(d)
	c.UseTerminater(d)
	c.UseLocker(memorylocker.New())
	h, err := handler.NewHandler(handler.Config{
		StoreComposer: c, MaxSize: MaxFile, BasePath: base, DisableDownload: true, Cors: &handler.CorsConfig{Disable: true},
		Logger:                    expslog.New(expslog.NewTextHandler(io.Discard, nil)),
		PreFinishResponseCallback: d.done,
	})
	if err != nil {
		return nil, err
	}
	serve := http.StripPrefix(strings.TrimSuffix(base, "/"), h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o, err := owner(r)
		if err == nil {
			err = o.check()
		}
		if err != nil {
			answer(w, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		serve.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownerKey{}, o)))
	}), nil
}

type ownerKey struct{}

func ownerOf(ctx context.Context) (Owner, error) {
	o, ok := ctx.Value(ownerKey{}).(Owner)
	if !ok {
		return o, ErrNoFile
	}
	return o, nil
}

// status of an answer: what is wrong with the file itself is told from what is
// wrong with the request.
func status(err error) int {
	if k := problem.From(err).Kind; k != problem.Invalid {
		return k.Status()
	}
	return http.StatusUnprocessableEntity
}

func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Diwan-Problem", problem.From(err).Code)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status(err))
	_, _ = io.WriteString(w, problem.From(err).Code+"\n")
}

// said makes an error that the protocol's handler answers with; what it does not
// know, it would show to people.
func said(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[handler.Error](err); ok {
		return err
	}
	code := problem.From(err).Code
	return handler.Error{ErrorCode: code, Message: code, HTTPResponse: handler.HTTPResponse{StatusCode: status(err), Body: code + "\n",
		Header: handler.HTTPHeader{"Content-Type": "text/plain; charset=utf-8", "Diwan-Problem": code}}}
}

// parts is the data store of the protocol's handler.
type parts struct{ s *Store }

// NewUpload implements handler.DataStore.
func (d *parts) NewUpload(ctx context.Context, info handler.FileInfo) (handler.Upload, error) {
	o, err := ownerOf(ctx)
	if err != nil {
		return nil, said(err)
	}
	if info.SizeIsDeferred || info.IsPartial || info.IsFinal {
		return nil, said(problem.New(problem.Invalid, "upload.unfinished"))
	}
	i, err := d.s.begin(ctx, o, info.MetaData["filename"], info.Size)
	if err != nil {
		return nil, said(err)
	}
	return &part{i}, nil
}

// GetUpload implements handler.DataStore.
func (d *parts) GetUpload(ctx context.Context, id string) (handler.Upload, error) {
	o, err := ownerOf(ctx)
	if err != nil {
		return nil, said(err)
	}
	i, err := d.s.arriving(ctx, o.Filer, id)
	if err == nil && (i.o.Draft != o.Draft || i.o.Case != o.Case) {
		err = ErrNoFile
	}
	if err == nil {
		return &part{i}, nil
	}
	if !problem.Is(err, problem.NotFound) {
		return nil, said(err)
	}
	// It may be there whole: its sender has not heard the last answer.
	f, err := d.s.Get(ctx, o, id)
	if err != nil {
		return nil, handler.ErrNotFound
	}
	return kept{f}, nil
}

// AsTerminatableUpload implements handler.TerminaterDataStore.
func (d *parts) AsTerminatableUpload(u handler.Upload) handler.TerminatableUpload {
	if k, ok := u.(kept); ok {
		return keptTermination{d.s, k.f}
	}
	return u.(*part)
}

// done checks and keeps a file when its last part has come.
func (d *parts) done(hook handler.HookEvent) (handler.HTTPResponse, error) {
	o, err := ownerOf(hook.Context)
	if err != nil {
		return handler.HTTPResponse{}, said(err)
	}
	f, err := d.s.Claim(hook.Context, o, hook.Upload.ID)
	if err != nil {
		return handler.HTTPResponse{}, said(err)
	}
	return handler.HTTPResponse{Header: handler.HTTPHeader{"Diwan-File": f.ID, "Diwan-File-State": string(f.State)}}, nil
}

// part is a file that comes in parts, as the protocol's handler sees it.
type part struct{ i *incoming }

// WriteChunk implements handler.Upload.
func (p *part) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	n, err := p.i.write(ctx, offset, src)
	return n, said(err)
}

// GetInfo implements handler.Upload.
func (p *part) GetInfo(context.Context) (handler.FileInfo, error) {
	at, err := p.i.offset()
	if problem.Is(err, problem.NotFound) {
		return handler.FileInfo{}, handler.ErrNotFound
	}
	return handler.FileInfo{ID: p.i.id, Size: p.i.size, Offset: at}, said(err)
}

// GetReader implements handler.Upload; nothing is read this way.
func (p *part) GetReader(context.Context) (io.ReadCloser, error) { return nil, handler.ErrNotFound }

// FinishUpload implements handler.Upload; the checks follow in done.
func (p *part) FinishUpload(context.Context) error { return nil }

// Terminate implements handler.TerminatableUpload.
func (p *part) Terminate(ctx context.Context) error { return said(p.i.drop(ctx)) }

// kept is a file that came whole.
type kept struct{ f File }

// WriteChunk implements handler.Upload: nothing can be added.
func (kept) WriteChunk(context.Context, int64, io.Reader) (int64, error) {
	return 0, said(problem.New(problem.Conflict, "upload.offset"))
}

// GetInfo implements handler.Upload.
func (k kept) GetInfo(context.Context) (handler.FileInfo, error) {
	return handler.FileInfo{ID: k.f.ID, Size: k.f.Size, Offset: k.f.Size}, nil
}

// GetReader implements handler.Upload.
func (kept) GetReader(context.Context) (io.ReadCloser, error) { return nil, handler.ErrNotFound }

// FinishUpload implements handler.Upload.
func (kept) FinishUpload(context.Context) error { return nil }

// keptTermination drops a file of a draft whose sender thinks better of it.
type keptTermination struct {
	s *Store
	f File
}

// Terminate implements handler.TerminatableUpload.
func (k keptTermination) Terminate(ctx context.Context) error {
	return said(k.s.Drop(ctx, k.f.Owner, k.f.ID))
}
