package gazette

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"diwan/internal/gazette/markup"
	"diwan/internal/gazette/model"
	"diwan/protocol/akn"
)

// ExportFormats are the forms in which the whole collection can be taken out.
var ExportFormats = []string{"akn", "jsonl", "txt"}

// ExportReport says what an export wrote.
type ExportReport struct {
	Texts int   `json:"texts"`
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Exported is a text in the form of the bulk export: a line of JSONL.
type Exported struct {
	Work       model.Work       `json:"work"`
	Expression model.Expression `json:"expression"`
	Address    string           `json:"address"`
	Links      []model.Link     `json:"links,omitempty"`
	Attached   []string         `json:"attached,omitempty"`
}

// Export writes every text into a folder, each as it reads today, with a list
// manifest.csv of where it came from and where it went. progress may be nil.
func (g *Gazette) Export(ctx context.Context, format, dir string, progress func(done, total int)) (ExportReport, error) {
	var report ExportReport
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return report, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return report, err
	}
	defer root.Close()
	texts, err := g.store.texts(ctx, g.store.db.Reader(), "ORDER BY work, lang, version, id")
	if err != nil {
		return report, err
	}
	e := &exporter{g: g, root: root, format: format, taken: map[string]bool{}, report: &report}
	list, err := root.Create("manifest.csv")
	if err != nil {
		return report, err
	}
	defer list.Close()
	e.list = csv.NewWriter(list)
	e.list.Write([]string{"source", "work", "expression", "file"})
	if format == "jsonl" {
		if e.lines, err = root.Create("texts.jsonl"); err != nil {
			return report, err
		}
		defer e.lines.Close()
		report.Files++
	}
	for i, t := range texts {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		if err := e.text(ctx, t); err != nil {
			return report, fmt.Errorf("%s (%s): %w", t.Work, t.ID, err)
		}
		if progress != nil {
			progress(i+1, len(texts))
		}
	}
	e.list.Flush()
	err = errors.Join(e.list.Error(), list.Close())
	if e.lines != nil {
		err = errors.Join(err, e.lines.Close())
	}
	return report, err
}

type exporter struct {
	g      *Gazette
	root   *os.Root
	format string
	list   *csv.Writer
	lines  *os.File
	taken  map[string]bool
	report *ExportReport
}

func (e *exporter) text(ctx context.Context, t *Text) error {
	r, err := e.g.ReadText(ctx, t, "")
	if err != nil {
		return err
	}
	doc, err := e.g.Document(ctx, r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	name := "texts.jsonl"
	switch e.format {
	case "akn":
		name = e.fileName(r, ".xml")
		err = akn.Write(&b, doc.Document())
	case "txt":
		name = e.fileName(r, ".txt")
		b.WriteString(titleLine(r) + markup.PlainText(r.Expression.Pieces))
	case "jsonl":
		j := json.NewEncoder(&b)
		j.SetEscapeHTML(false)
		err = j.Encode(Exported{*r.Work, r.Expression, Address(r), doc.Links, r.Attached})
	default:
		return fmt.Errorf("there is no format %q", e.format)
	}
	if err != nil {
		return err
	}
	if err := e.write(name, b.Bytes()); err != nil {
		return err
	}
	src, err := e.g.store.source(ctx, e.g.store.db.Reader(), t.Source)
	if err != nil {
		return err
	}
	e.report.Texts++
	e.report.Bytes += int64(b.Len())
	return e.list.Write([]string{noFormula(src.Name), r.Work.ID, Address(r), name})
}

func titleLine(r *Reading) string {
	if r.Expression.Title == "" {
		return ""
	}
	return r.Expression.Title + "\n\n"
}

func (e *exporter) write(name string, data []byte) error {
	if e.lines != nil {
		_, err := e.lines.Write(data)
		return err
	}
	if err := e.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := e.root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(data))
	e.report.Files++
	return errors.Join(err, f.Close())
}

// fileName is the address of a text as a path; two editions of one day are told
// apart by their text.
func (e *exporter) fileName(r *Reading, ending string) string {
	name := strings.TrimPrefix(Address(r), "/akn/")
	if e.taken[name] {
		name += "-" + r.Expression.ID
	}
	e.taken[name] = true
	return filepath.FromSlash(name + ending)
}

// Address is the address of the expression that a reading shows.
func Address(r *Reading) string {
	iri, err := akn.ParseIRI(r.Work.ID)
	if err != nil {
		return r.Work.ID
	}
	iri.Lang, iri.Version = string(r.Expression.Lang), string(r.Expression.Version)
	return iri.Expression()
}
