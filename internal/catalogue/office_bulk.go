package catalogue

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// UploadPath, under a language, takes whole files. It bounds its requests itself,
// above what any other address takes.
const UploadPath = "/office/bulk/import"

// RegisterBulk adds the pages that bring procedures in and take them out.
func (o *Office) RegisterBulk(mux *http.ServeMux) {
	mux.HandleFunc("GET /office/bulk", o.bulkPage)
	mux.HandleFunc("POST "+UploadPath, o.bulkImport)
	mux.HandleFunc("GET /office/bulk/{file}", o.bulkDownload)
}

type bulkData struct {
	base
	Report  *Report
	File    string
	Errors  []blockView
	Message string
	MayMake bool
}

func (o *Office) bulkPage(w http.ResponseWriter, r *http.Request) {
	o.showBulk(w, r, http.StatusOK, bulkData{})
}

func (o *Office) showBulk(w http.ResponseWriter, r *http.Request, status int, d bulkData) {
	d.base = o.base(r)
	d.MayMake = d.Who.Has(gov.RoleEditor) || d.Who.Has(gov.RoleSteward)
	t := o.Site.Printer(r)
	title := t.T("office.bulk")
	if d.Message != "" {
		title = t.T("form.error.prefix") + " " + title
	}
	o.Site.Show(w, r, status, web.Page{Template: "catalogue/office-bulk", Title: title, Path: "/office/bulk", Hidden: true, Data: d})
}

// maxUpload bounds what a browser may send, a little over the file itself.
const maxUpload = maxImportBytes + 1<<20

// bulkImport reads an uploaded file. When anything is wrong with it the page
// lists every place, and the catalogue is as it was.
func (o *Office) bulkImport(w http.ResponseWriter, r *http.Request) {
	actor := o.Actor(r)
	if !actor.Has(gov.RoleEditor) && !actor.Has(gov.RoleSteward) {
		o.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	f, head, err := r.FormFile("file")
	if err != nil {
		e := problem.Wrap(err, problem.Invalid, "import.no_file")
		if strings.Contains(err.Error(), "too large") {
			e = problem.Wrap(err, problem.TooLarge, "too_large", "limit", "16 MB")
		}
		o.refuseBulk(w, r, "", e)
		return
	}
	defer f.Close()
	name := path.Base(strings.ReplaceAll(head.Filename, "\\", "/"))
	report, err := o.Catalogue.ImportFile(r.Context(), actor, strings.TrimPrefix(path.Ext(name), "."), name, f)
	if err != nil {
		o.refuseBulk(w, r, name, err)
		return
	}
	o.showBulk(w, r, http.StatusOK, bulkData{Report: &report, File: name})
}

func (o *Office) refuseBulk(w http.ResponseWriter, r *http.Request, name string, err error) {
	e := problem.From(err)
	if e.Kind == problem.Internal {
		o.Site.Fail(w, r, err)
		return
	}
	l := web.LangOf(r)
	d := bulkData{File: name, Message: o.Site.Sentence(l, e)}
	sentences := o.Site.Explain(l, e)
	for _, f := range e.Fields {
		d.Errors = append(d.Errors, blockView{f.Path, sentences[f.Path]})
	}
	o.showBulk(w, r, e.Kind.Status(), d)
}

// ImportFile imports a file by its ending: csv, json, jsonld or ttl.
func (c *Catalogue) ImportFile(ctx context.Context, actor gov.Actor, ending, name string, r io.Reader) (Report, error) {
	switch ending {
	case "csv":
		return c.ImportCSV(ctx, actor, name, r)
	case "json":
		return c.ImportJSON(ctx, actor, name, r)
	case "jsonld", "ttl":
		return c.ImportCPSV(ctx, actor, name, r, ending)
	}
	return Report{}, problem.New(problem.Invalid, "import.ending", "ending", short(ending))
}

// ExportFile writes what the public sees as csv, json, jsonld or ttl. base is
// the public address, in which linked data names things.
func (c *Catalogue) ExportFile(ctx context.Context, ending, base string, w io.Writer) error {
	for _, f := range exportFormats {
		if f.name == ending {
			return f.write(ctx, c, base, w)
		}
	}
	return fmt.Errorf("there is no export format %q", ending)
}

// downloads are the files that can be taken out, with their types.
var downloads = map[string]string{
	"procedures.csv": "text/csv; charset=utf-8", "procedures.json": "application/json",
	"catalogue.jsonld": "application/ld+json", "catalogue.ttl": "text/turtle; charset=utf-8", "template.csv": "text/csv; charset=utf-8",
}

func (o *Office) bulkDownload(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	contentType, ok := downloads[name]
	if !ok {
		o.Site.NoPage(w, r)
		return
	}
	var b bytes.Buffer
	var err error
	if name == "template.csv" {
		err = o.Catalogue.CSVTemplate(&b)
	} else {
		err = o.Catalogue.ExportFile(r.Context(), strings.TrimPrefix(path.Ext(name), "."), o.Site.BaseURL, &b)
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(b.Bytes())
}
