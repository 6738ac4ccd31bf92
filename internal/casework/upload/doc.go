// Package upload keeps the files that people hand in.
//
// What it promises:
//
//   - A file is what its content is: its name decides nothing, and a name that
//     says something else is refused. Pictures are drawn anew, so that nothing but
//     the picture is left of them; PDFs keep their bytes, because those may carry
//     signatures, and are refused when they are encrypted or could act.
//   - Nobody opens a file before it was found clean, unless the installation has
//     no scanner, which each file then says of itself. A scanner that is down
//     holds the file; it never holds the person's case.
//   - Contents lie sealed under a key of their own, and that under the person's:
//     when the person's key is gone, so is all that they handed in. A file that is
//     dropped or found infected loses its key at once.
//   - Bytes, pixels, files and time are bounded for each file, each case and each
//     person who sends.
//   - Somebody else's file does not exist for those who are not its owner.
package upload

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Migrations returns the tables of files.
func Migrations() db.Migrations { return db.Embedded("upload", migrationFiles) }

// Messages returns the words of files.
func Messages() fs.FS {
	f, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}

// Bounds of what is taken.
const (
	MaxFile      = 25 << 20  // bytes of one file
	MaxFiles     = 40        // of one draft or case
	MaxTotal     = 200 << 20 // bytes of one draft or case
	maxWaiting   = 400       // files of one sender that no case has yet
	waitingTotal = 1 << 30   // and their bytes
)

// Keys gives the key of a person, of 32 bytes.
type Keys interface {
	PersonKey(ctx context.Context, person string) ([]byte, error)
}

// Owner is whose file it is. A file belongs to a draft until the draft is filed,
// and to the case from then on.
type Owner struct {
	Person string // whose key seals it: the applicant
	Filer  string // the account that sends it
	Draft  string
	Case   string
}

func (o Owner) check() error {
	if o.Person == "" || o.Filer == "" || (o.Draft == "") == (o.Case == "") || !plainID(o.Person) || !plainID(o.Filer) || !plainID(o.Draft) || !plainID(o.Case) {
		return ErrNoFile
	}
	return nil
}

// plainID tells what can be an id: PostgreSQL refuses some texts.
func plainID(s string) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= 100
}

// State says whether a file can be opened.
type State string

// The states of a file.
const (
	Clean       State = "clean"       // the scanner has found nothing
	Unscanned   State = "unscanned"   // the installation has no scanner
	Held        State = "held"        // the scanner could not be asked yet
	Quarantined State = "quarantined" // infected, or able to act: only that it came is kept
)

// File is what is known of a file.
type File struct {
	ID string
	Owner
	Name    string // cleaned
	Type    string // media type
	Size    int64  // of the content as it is kept
	SHA256  string // of the content as it is kept, in hexadecimal
	State   State
	Reason  string // why it was put aside: the code of a problem
	Created time.Time

	sealedKey []byte
	blob      string
	tries     int64
}

// Openable reports whether the content may be given to anybody.
func (f *File) Openable() bool { return f.State == Clean || f.State == Unscanned }

// ErrNoFile says that there is no such file, or not for whoever asks.
// ErrNoFile says that there is no such file for the one who asks.
var ErrNoFile = problem.New(problem.NotFound, "upload.not_found")

// Options are what a Store is made of.
type Options struct {
	DB    *db.DB
	Blobs blob.Store
	Keys  Keys
	Clock gov.Clock
	// Dir is a folder for what is on its way in; it is bounded and swept.
	Dir string
	// Scanner finds viruses; nil where none is configured.
	Scanner Scanner
	// Inspector reads PDFs; nil reads them in this process.
	Inspector Inspector
	// Tell is called, in the transaction that puts a file aside that was held, so
	// that its owner can be told; nil tells nobody.
	Tell func(ctx context.Context, tx *db.Tx, f File) error
	Log  *slog.Logger
}

// Store keeps files.
type Store struct {
	Options
	memory slots // files that are whole in memory
	work   slots // files that are decoded: pictures need much

	mu       sync.Mutex
	downTill time.Time // the scanner is not asked before
}

// slots bounds how many do something at once.
type slots chan struct{}

func (s slots) take(ctx context.Context) (release func(), err error) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-ctx.Done():
		return nil, problem.Wrap(ctx.Err(), problem.Unavailable, "upload.busy")
	}
}

// New returns the store of files of a database.
func New(o Options) (*Store, error) {
	if o.DB == nil || o.Blobs == nil || o.Keys == nil || o.Clock == nil || o.Dir == "" {
		return nil, errors.New("the store of files lacks a part")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of incoming files: %w", err)
	}
	if o.Inspector == nil {
		o.Inspector = inProcess
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{Options: o, memory: make(slots, 8), work: make(slots, 2)}, nil
}

// Message returns the key of the words for a state.
func (s State) Message() string {
	switch s {
	case Clean:
		return "upload.state.clean"
	case Unscanned:
		return "upload.state.unscanned"
	case Held:
		return "upload.state.held"
	}
	return "upload.state.quarantined"
}

// Labels are the words that the script of file inputs needs, by the name of the
// data attribute in which it looks for them. say returns a message as it is,
// its placeholders unfilled.
func Labels(say func(key string) string) map[string]string {
	return map[string]string{
		"data-upload-sending": say("upload.sending"),
		"data-upload-sent":    say("upload.sent"),
		"data-upload-failed":  say("upload.failed"),
		"data-upload-waiting": say("upload.waiting"),
		"data-upload-remove":  say("upload.remove"),
	}
}
