package catalogue

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Imports in bulk: all or nothing. What a file brings becomes drafts, which go
// the same way as any other before the public sees them; nothing that a person
// is working on is overwritten.

// Report says what an import did. When something is wrong with the file nothing
// is done, and Problems says what, each with its file, line and column.
type Report struct {
	Created  int             `json:"created"`
	Changed  int             `json:"changed"`
	Same     int             `json:"same"`
	Problems []problem.Field `json:"problems,omitempty"`
}

// The bounds of a file.
const (
	maxImportBytes = 16 << 20
	maxImportRows  = 20_000
	maxProblems    = 200
)

//go:embed messages-api/*.json
var apiMessageFiles embed.FS

// MessagesAPI returns the words of the interface for programs and of imports.
func MessagesAPI() fs.FS { return web.Folder(apiMessageFiles, "messages-api") }

// file is what is being imported: its name, for the reports, and what is wrong
// with it.
type file struct {
	name     string
	problems []problem.Field
}

// place says where in the file, in the words of all reports.
func (f *file) place(line, col int) string {
	return fmt.Sprintf("%s, line %d, column %d", f.name, line, col)
}

func (f *file) fault(at, code string, args ...string) {
	if len(f.problems) < maxProblems {
		f.problems = append(f.problems, problem.At(at, code, args...))
	}
}

// refused is the error that lists what is wrong, or nil.
func (f *file) refused() error {
	if len(f.problems) == 0 {
		return nil
	}
	e := problem.New(problem.Invalid, "import.refused", "count", strconv.Itoa(len(f.problems)))
	e.Fields = f.problems
	return e
}

// outcome turns the end of an import into what its caller gets.
func (f *file) outcome(r Report, err error) (Report, error) {
	if err != nil {
		return Report{Problems: f.problems}, err
	}
	return r, nil
}

// maxFileName bounds the name that reports and the audit trail repeat.
const maxFileName = 120

// openImport reads a file whole, within its bound and as UTF-8. A byte order
// mark is dropped.
func openImport(name string, r io.Reader) (*file, []byte, error) {
	name = cleanQuery(name)
	if n := []rune(name); len(n) > maxFileName {
		name = string(n[:maxFileName])
	}
	f := &file{name: name}
	b, err := io.ReadAll(io.LimitReader(r, maxImportBytes+1))
	if err != nil {
		return f, nil, fmt.Errorf("reading the import: %w", err)
	}
	if len(b) > maxImportBytes {
		return f, nil, problem.New(problem.TooLarge, "too_large", "limit", strconv.Itoa(maxImportBytes>>20)+" MB")
	}
	if !utf8.Valid(b) {
		valid := 0
		for valid < len(b) {
			r, n := utf8.DecodeRune(b[valid:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			valid += n
		}
		line, col := lineColumn(b, valid)
		f.fault(f.place(line, col), "import.encoding")
		return f, nil, f.refused()
	}
	return f, []byte(strings.TrimPrefix(string(b), "\ufeff")), nil
}

// lineColumn returns the line and column, from 1 and in characters, of an offset.
func lineColumn(b []byte, at int) (line, col int) {
	head := string(b[:max(0, min(at, len(b)))])
	return strings.Count(head, "\n") + 1, utf8.RuneCountInString(head[strings.LastIndexByte(head, '\n')+1:]) + 1
}

// incoming is one procedure of a file.
type incoming struct {
	id string
	at string // where it stands
	// where returns the place of a field of the model.
	where func(path string) string
	// build returns the procedure. base is the one that the catalogue has, to keep
	// what the file does not speak of; nil when it is new. It may change base.
	build func(base *model.Procedure) *model.Procedure
}

// importer brings procedures in, within one transaction.
type importer struct {
	*Catalogue
	actor gov.Actor
	file  *file
	check checker
	out   Report
}

// run imports all of them, or none. more is done first, in the same transaction.
func (m *importer) run(ctx context.Context, all []incoming, more func(*db.Tx) (changed bool, err error)) (Report, error) {
	if len(all) == 0 && more == nil {
		m.file.fault(m.file.place(1, 1), "import.empty")
		return m.file.outcome(Report{}, m.file.refused())
	}
	public := false
	err := m.store.db.RunTx(ctx, func(tx *db.Tx) (err error) {
		m.out, m.file.problems = Report{}, nil
		if more != nil {
			if public, err = more(tx); err != nil {
				return err
			}
		}
		seen := make(map[string]bool, len(all))
		for _, in := range all {
			if seen[in.id] {
				m.file.fault(in.at, "import.double", "id", clip(in.id))
				continue
			}
			seen[in.id] = true
			if err := m.one(ctx, tx, in); err != nil {
				return err
			}
		}
		if err := m.file.refused(); err != nil {
			return err
		}
		if public {
			return m.store.bump(ctx, tx)
		}
		return nil
	})
	if err == nil && public {
		err = m.Refresh(ctx)
	}
	return m.file.outcome(m.out, err)
}

// one imports a procedure, or notes what is wrong with it.
func (m *importer) one(ctx context.Context, tx *db.Tx, in incoming) error {
	if !procedureID.MatchString(in.id) {
		m.file.fault(in.where("id"), "procedure.id", "id", clip(in.id))
		return nil
	}
	h, err := m.store.head(ctx, tx, in.id)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return err
	}
	var last *Version
	if h.latest > 0 {
		if last, err = m.store.version(ctx, tx, in.id, h.latest); err != nil {
			return err
		}
	}
	before := len(m.file.problems)
	p := in.build(body(last))
	if len(m.file.problems) > before {
		return nil
	}
	same, err := m.unchanged(ctx, tx, in, h, last, p)
	if err != nil {
		return err
	}
	if same {
		m.out.Same++
		return nil
	}
	m.check.procedure(m.file, in, p)
	switch {
	case !m.MayEdit(m.actor, p.Competent) || last != nil && !m.MayEdit(m.actor, last.Procedure.Competent):
		m.file.fault(in.at, "import.forbidden", "id", in.id)
	case last != nil && last.State == model.Review:
		m.file.fault(in.at, "procedure.in_review", "id", in.id)
	case last != nil && last.State == model.Draft && (last.Origin == originEditor || last.Author != m.actor.ID):
		m.file.fault(in.at, "import.draft", "id", in.id)
	}
	if len(m.file.problems) > before {
		return nil
	}
	return m.write(ctx, tx, h, last, p)
}

// body returns a copy of a version's procedure, or nil.
func body(v *Version) *model.Procedure {
	if v == nil {
		return nil
	}
	return cloneProcedure(v.Procedure)
}

func cloneProcedure(p *model.Procedure) *model.Procedure {
	out := new(model.Procedure)
	b, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		panic(err) // it came out of the database as JSON
	}
	return out
}

// unchanged reports whether the file says what the catalogue has: the latest
// version, or the one that is shown. The latter, because an export holds what is
// shown, and must not undo a draft when it comes back.
func (m *importer) unchanged(ctx context.Context, tx *db.Tx, in incoming, h head, last *Version, p *model.Procedure) (bool, error) {
	if last == nil {
		return false, nil
	}
	if sameBody(last.Procedure, p) {
		return true, nil
	}
	if h.shown == 0 || h.shown == h.latest {
		return false, nil
	}
	v, err := m.store.version(ctx, tx, in.id, h.shown)
	if err != nil {
		return false, err
	}
	before := len(m.file.problems)
	other := in.build(cloneProcedure(v.Procedure))
	fits := len(m.file.problems) == before
	m.file.problems = m.file.problems[:before] // it is only compared
	return fits && sameBody(v.Procedure, other), nil
}

// write keeps what the file says as a draft.
func (m *importer) write(ctx context.Context, tx *db.Tx, h head, last *Version, p *model.Procedure) error {
	now := m.clock.Now()
	v := &Version{Number: h.latest + 1, State: model.Draft, Procedure: p, Author: m.actor.ID, Origin: originImport, Created: now, Changed: now}
	if last == nil {
		m.out.Created++
	} else {
		m.out.Changed++
	}
	var err error
	if last != nil && last.State == model.Draft {
		v.Number, v.Created = last.Number, last.Created
		if err = m.store.updateVersion(ctx, tx, v); err == nil {
			err = m.store.setHead(ctx, tx, p, h, now)
		}
	} else {
		err = m.store.insertVersion(ctx, tx, v, h.shown)
	}
	if err != nil {
		return err
	}
	return m.note(ctx, tx, m.actor, "procedure.import", v, m.file.name)
}

// mayImport refuses those who could not import anything.
func mayImport(a gov.Actor) error {
	if a.Has(gov.RoleSteward) || a.Has(gov.RoleEditor) {
		return nil
	}
	return problem.New(problem.Forbidden, "forbidden")
}

func (c *Catalogue) importer(actor gov.Actor, f *file) *importer {
	return &importer{Catalogue: c, actor: actor, file: f, check: newChecker(c)}
}

// ImportJSON imports an array of whole procedures, as ExportJSON writes it. A
// field that the program does not know is an error. name is the file's, for the
// reports.
func (c *Catalogue) ImportJSON(ctx context.Context, actor gov.Actor, name string, r io.Reader) (Report, error) {
	if err := mayImport(actor); err != nil {
		return Report{}, err
	}
	f, b, err := openImport(name, r)
	if err != nil {
		return f.outcome(Report{}, err)
	}
	all := readProcedures(f, b)
	if err := f.refused(); err != nil {
		return f.outcome(Report{}, err)
	}
	return c.importer(actor, f).run(ctx, all, nil)
}

// ExportJSON writes all procedures that the public sees, whole.
func (c *Catalogue) ExportJSON(_ context.Context, w io.Writer) error {
	var ps []*model.Procedure
	for _, e := range c.Snapshot().Procedures {
		ps = append(ps, e.Procedure)
	}
	return WriteLines(w, ps)
}

// prefixed puts the file's name before the places of a reader that does not
// know it.
func (f *file) prefixed(err error) error {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok {
		return err
	}
	for i := range e.Fields {
		if e.Fields[i].Path == "" {
			e.Fields[i].Path = f.name
		} else {
			e.Fields[i].Path = f.name + ", " + e.Fields[i].Path
		}
	}
	f.problems = e.Fields
	return e
}
