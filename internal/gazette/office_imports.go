package gazette

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gazette/extract"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// UploadPath, under a language, takes whole files. It bounds its requests itself,
// above what any other address takes.
const UploadPath = "/office/gazette/import"

// maxUploadFile bounds one file from a browser; larger ones are imported on the
// command line.
const maxUploadFile = 64 << 20

// uploadTime is how long a slow line may take to send it.
const uploadTime = 15 * time.Minute

type importsData struct {
	desk
	Rows     []sourceView
	Pager    listPager
	Missing  []extract.Missing
	Install  string // the packages to install
	Subjects []countView
	Langs    []langView
	Demo     bool
	Counts   deskCounts
}

// deskCounts say what waits for an officer.
type deskCounts struct{ Pieces, Pages, Operations, Differences, Suspect int }

type sourceView struct {
	*Source
	Label  string
	Day    gov.Date
	Time   string
	Sender gov.Text
	Read   int // pages read so far
	Busy   bool
}

func (o *Office) imports(w http.ResponseWriter, r *http.Request) { o.showImports(w, r, nil) }

func (o *Office) showImports(w http.ResponseWriter, r *http.Request, failed error) {
	d := importsData{desk: o.desk(r, "imports"), Missing: o.Gazette.tools.Missing(), Install: strings.Join(o.Gazette.tools.Packages(), " "), Demo: o.Site.Demo}
	status := http.StatusOK
	if failed != nil {
		if d.Error, status = o.sentence(r, failed); d.Error == "" {
			o.Site.Fail(w, r, failed)
			return
		}
	}
	page := pageOf(r)
	rows, n, err := o.Gazette.sources(r.Context(), listSize, (page-1)*listSize)
	if err == nil {
		for _, s := range rows {
			d.Rows = append(d.Rows, o.sourceView(r, s))
		}
		d.Pager = newPager(page, listSize, n, "")
		d.Counts, err = o.Gazette.deskCounts(r.Context())
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	for _, s := range o.Gazette.grammar.Config.Subjects {
		d.Subjects = append(d.Subjects, countView{Value: s.ID, Name: textOf(s.Names)})
	}
	for _, code := range o.Gazette.LawLangs(web.LangOf(r)) {
		if lang, ok := o.Site.Country.Language(gov.Lang(twoLetters(code))); ok && o.Gazette.grammar.Lang(code) != nil {
			d.Langs = append(d.Langs, langView{Code: string(lang.Code), Name: lang.Name, Dir: lang.Dir})
		}
	}
	slices.SortFunc(d.Subjects, func(a, b countView) int {
		x, _ := a.Name.In(web.LangOf(r), o.Site.Country.Order())
		y, _ := b.Name.In(web.LangOf(r), o.Site.Country.Order())
		return cmp.Compare(x, y)
	})
	o.show(w, r, status, "office-imports", o.Site.Printer(r).T("law.office.imports"), "/office/gazette"+here("", d.Pager.Page), d)
}

func (o *Office) sourceView(r *http.Request, s *Source) sourceView {
	at := s.Created.In(o.Site.Country.Zone())
	return sourceView{Source: s, Label: titleOfSource(s), Day: gov.DateOf(s.Created, o.Site.Country.Zone()), Time: at.Format("15:04"),
		Sender: o.NameOf(r, s.By), Busy: s.State == SourceWaiting || s.State == SourceReading}
}

// sources lists what was read, the newest first.
func (g *Gazette) sources(ctx context.Context, limit, offset int) ([]*Source, int, error) {
	q := g.store.db.Reader()
	var n int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_source`).Scan(&n); err != nil {
		return nil, 0, err
	}
	rows, err := q.QueryContext(ctx, `SELECT `+sourceColumns+` FROM gazette_source ORDER BY created_at DESC, id LIMIT $1 OFFSET $2`, limit, offset)
	if err != nil {
		return nil, 0, fmt.Errorf("listing imports: %w", err)
	}
	defer rows.Close()
	var out []*Source
	for rows.Next() {
		s, err := scanSource(rows)
		if err != nil {
			return nil, 0, fmt.Errorf("listing imports: %w", err)
		}
		out = append(out, s)
	}
	return out, n, rows.Err()
}

func (g *Gazette) deskCounts(ctx context.Context) (c deskCounts, err error) {
	for _, one := range []struct {
		into  *int
		query string
	}{
		{&c.Pieces, `SELECT count(*) FROM gazette_piece WHERE confidence < 0.95 AND by_work = '' AND kind <> 'note'`},
		{&c.Pages, `SELECT count(*) FROM gazette_page WHERE checked_at = 0 AND (confidence < 0.95 OR disagreement > 0.05)`},
		{&c.Operations, `SELECT count(*) FROM gazette_operation WHERE state = 'manual'`},
		{&c.Differences, `SELECT count(*) FROM gazette_difference`},
		{&c.Suspect, `SELECT count(*) FROM gazette_work WHERE suspect`},
	} {
		err = errors.Join(err, g.store.db.Reader().QueryRowContext(ctx, one.query).Scan(one.into))
	}
	return c, err
}

// upload keeps a file and orders it to be read. The answer is the page that
// shows how far that is.
func (o *Office) upload(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	errors.Join(c.SetReadDeadline(time.Now().Add(uploadTime)), c.SetWriteDeadline(time.Now().Add(uploadTime))) // where the server can't, its own bound holds
	r.Body = http.MaxBytesReader(w, r.Body, maxUploadFile+1<<20)
	f, head, err := r.FormFile("file")
	if err != nil {
		e := problem.Wrap(err, problem.Invalid, "law.upload.no_file")
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			e = problem.Wrap(err, problem.TooLarge, "too_large", "limit", "64 MB")
		}
		o.showImports(w, r, e)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxUploadFile+1))
	switch {
	case err != nil:
		err = problem.Wrap(err, problem.Invalid, "law.upload.no_file")
	case len(data) == 0:
		err = problem.New(problem.Invalid, "law.upload.no_file")
	case len(data) > maxUploadFile:
		err = problem.New(problem.TooLarge, "too_large", "limit", "64 MB")
	}
	if err != nil {
		o.showImports(w, r, err)
		return
	}
	src := &Source{Name: short(oneLine(extract.Clean(path.Base(strings.ReplaceAll(head.Filename, "\\", "/")))), 200), Title: short(oneLine(extract.Clean(r.PostFormValue("title"))), 600)}
	if lang := gov.Lang(r.PostFormValue("lang")); lang != "" {
		if _, ok := o.Site.Country.Language(lang); ok {
			src.Lang = string(lang)
		}
	}
	var flags []string
	if s := r.PostFormValue("subject"); validID(s) {
		flags = append(flags, subjectFlag+s)
	}
	if o.Site.Demo && r.PostFormValue("real") == "" {
		flags = append(flags, flagDemo)
	}
	src.Flags = strings.Join(flags, " ")
	id, err := o.order(r, src, data)
	if err != nil {
		o.showImports(w, r, err)
		return
	}
	o.done(w, r, "/office/gazette/imports/"+id)
}

// order keeps the bytes of a file and its job in one transaction. A file that is
// there already is not read twice; one that failed is tried again.
func (o *Office) order(r *http.Request, src *Source, data []byte) (id string, err error) {
	g, ctx, actor := o.Gazette, r.Context(), o.Actor(r)
	src.SHA256, src.Bytes, src.Created, src.By, src.State = blob.Key(data), int64(len(data)), g.clock.Now(), actor.ID, SourceWaiting
	if _, err := g.files.Put(data); err != nil {
		return "", err
	}
	fresh := gov.NewID()[:16]
	err = g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		before, err := g.store.sourceByHash(ctx, tx, src.SHA256)
		if err != nil {
			return err
		}
		id = fresh
		if before != nil {
			if id = before.ID; before.State == SourceDone {
				return nil
			}
			if before.State != SourceFailed { // its job goes on where it stopped, or was given up
				return o.Queue.Insert(ctx, tx, importArgs{Source: id, Actor: actor.ID})
			}
		}
		src.ID = id
		if err := g.store.putSource(ctx, tx, src); err != nil {
			return err
		}
		if err := g.audit.Append(ctx, tx, chain, actor, "gazette.upload", src.ID, map[string]string{"sha256": src.SHA256}); err != nil {
			return err
		}
		return o.Queue.Insert(ctx, tx, importArgs{Source: src.ID, Actor: actor.ID})
	})
	return id, err
}

// importAgain orders a file that failed to be tried again, after what was
// missing was installed.
func (o *Office) importAgain(w http.ResponseWriter, r *http.Request) {
	src, err := o.Gazette.store.source(r.Context(), o.Gazette.store.db.Reader(), r.PathValue("id"))
	var data []byte
	if err == nil {
		data, err = o.Gazette.files.Get(src.SHA256)
	}
	if err == nil {
		src.Code, src.Detail = "", ""
		_, err = o.order(r, src, data)
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.done(w, r, "/office/gazette/imports/"+src.ID)
}

type importData struct {
	desk
	sourceView
	Why      string // why it failed, in words
	Install  string
	Found    []foundView
	Issue    *issueView
	Doubtful int // pieces that were read with doubt
	Notes    []noteView
	Repairs  int
	Percent  int
	Progress int
	Refresh  bool
	Lowest   []pageView
}

type foundView struct {
	workView
	Articles int
	Problems int
}

type noteView struct{ Text, Detail string }

// pageView is a page of a source in a list.
type pageView struct {
	Source  string
	Number  int
	Percent int
	Name    string
}

// refreshSeconds is how often the page of a running import asks again. The
// browser does it by a header: no script is needed.
const refreshSeconds = "3"

func (o *Office) importPage(w http.ResponseWriter, r *http.Request) {
	d, err := o.importData(r, r.PathValue("id"))
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	if d.Refresh = d.Busy; d.Refresh {
		w.Header().Set("Refresh", refreshSeconds)
	}
	o.show(w, r, http.StatusOK, "office-import", d.Label, "/office/gazette/imports/"+d.ID, d)
}

func (o *Office) importData(r *http.Request, id string) (*importData, error) {
	g, ctx, q := o.Gazette, r.Context(), o.Gazette.store.db.Reader()
	src, err := g.store.source(ctx, q, id)
	if err != nil {
		return nil, err
	}
	d := &importData{desk: o.desk(r, "imports"), sourceView: o.sourceView(r, src), Percent: percent(src.Confidence)}
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_page WHERE source = $1`, id).Scan(&d.Read); err != nil {
		return nil, err
	}
	if d.Pages > 0 {
		d.Progress = d.Read * 100 / int(d.Pages)
	}
	for _, rep := range src.Repairs {
		d.Repairs += rep.Count
	}
	if src.State == SourceFailed {
		d.Why = o.codeWords(r, "law.import.code.", src.Code)
		if src.Code == string(extract.ToolMissing) {
			d.Install = strings.Join(g.tools.Packages(), " ")
		}
		return d, nil
	}
	var notes []Notice
	if src.Detail != "" && json.Unmarshal([]byte(src.Detail), &notes) == nil {
		for _, n := range notes {
			d.Notes = append(d.Notes, noteView{o.codeWords(r, "law.import.code.", n.Code), n.Detail})
		}
	}
	if src.State != SourceDone {
		return d, nil
	}
	return d, o.foundIn(r, d)
}

// codeWords says a stable code in the reader's language, or shows the code.
func (o *Office) codeWords(r *http.Request, prefix, code string) string {
	key := prefix + code
	if !o.Site.Words.Has(string(web.LangOf(r)), key) {
		return code
	}
	return o.Site.Printer(r).T(key)
}

// foundIn lists what was found in a source.
func (o *Office) foundIn(r *http.Request, d *importData) error {
	g, ctx, q := o.Gazette, r.Context(), o.Gazette.store.db.Reader()
	texts, works, err := g.InSource(ctx, d.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(texts, func(a, b *Text) int { return cmp.Compare(textNumber(a.ID), textNumber(b.ID)) })
	for _, t := range texts {
		w := works[t.Work]
		if w == nil {
			continue
		}
		f := foundView{workView: o.view(w, web.LangOf(r)), Problems: len(t.Problems)}
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_piece WHERE text = $1 AND kind = 'article' AND by_work = ''`, t.ID).Scan(&f.Articles); err != nil {
			return err
		}
		d.Found = append(d.Found, f)
	}
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_piece WHERE text IN (SELECT id FROM gazette_text WHERE source = $1) AND confidence < 0.95 AND by_work = ''`,
		d.ID).Scan(&d.Doubtful); err != nil {
		return err
	}
	issues, err := g.issues(ctx, issueSelect+`WHERE source = $1`, d.ID)
	if err != nil {
		return err
	}
	for _, i := range issues {
		v := o.issueView(i.ID, i.IssueRef)
		d.Issue = &v
	}
	pages, err := g.store.scanPages(q.QueryContext(ctx, `SELECT `+pageColumns+` FROM gazette_page WHERE source = $1 ORDER BY confidence, number LIMIT 5`, d.ID))
	for _, p := range pages {
		d.Lowest = append(d.Lowest, pageView{p.Source, p.Number, percent(p.Confidence), ""})
	}
	return err
}
