package casework

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// sendFiles takes the documents that a case still lacks, or the better one that
// was asked for. Each file stands under the id of its document; what came is kept
// also when something else is still missing.
func (m *Mine) sendFiles(w http.ResponseWriter, r *http.Request) {
	actor := m.Actor(r)
	c, err := m.Find(r.Context(), actor, r.PathValue("number"))
	var v *View
	if err == nil {
		v, err = m.view(r.Context(), m.Site, web.LangOf(r), c, false)
	}
	if err == nil && m.Files == nil {
		err = problem.New(problem.Unavailable, "upload.none")
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	refs, items, err := m.takeParts(r, c, v, actor)
	if err == nil {
		err = m.hand(r, c, v, actor, refs, items)
	}
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showCase(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/cases/"+c.Number)
}

// takeParts keeps the files of a posted page and tells which document each is.
func (m *Mine) takeParts(r *http.Request, c *Case, v *View, actor gov.Actor) (refs, items []string, err error) {
	if err := m.may(r.Context(), actor, MayFile, c); err != nil {
		return nil, nil, err
	}
	r.PostForm = url.Values{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, problem.New(problem.Invalid, "form.malformed")
	}
	for range maxFields {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return refs, items, nil
		}
		if err != nil {
			return nil, nil, tooLarge(err)
		}
		if p.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(p, 4096))
			if err != nil {
				return nil, nil, tooLarge(err)
			}
			r.PostForm.Add(p.FormName(), string(b))
			continue
		}
		if _, ok := v.Terms.Document(p.FormName()); !ok {
			return nil, nil, problem.New(problem.Invalid, "case.document_unknown", "document", p.FormName())
		}
		f, err := m.Files.ReceiveFor(r.Context(), c, actor.ID, p.FileName(), p)
		if err != nil {
			return nil, nil, tooLarge(err)
		}
		refs, items = append(refs, f.Ref), append(items, p.FormName())
	}
	return nil, nil, problem.New(problem.Invalid, "form.malformed")
}

// hand writes to the case what came: the file is complete when nothing is missing
// any more.
func (m *Mine) hand(r *http.Request, c *Case, v *View, actor gov.Actor, refs, items []string) error {
	if len(items) == 0 {
		return problem.New(problem.Invalid, "upload.nothing")
	}
	a := Action{Type: FileAdded, Items: items, Files: refs}
	if r.PostFormValue("do") == string(clock.DefectMended) {
		a.Type = string(clock.DefectMended)
	} else if v.State == clock.FiledIncomplete && !slices.ContainsFunc(v.Missing, func(d Document) bool { return !slices.Contains(items, d.ID) }) {
		complete := true
		a.Type, a.Complete = string(clock.Completed), &complete
	}
	_, err := m.Act(r.Context(), actor, c.Number, a)
	return err
}

// serveFile gives a file of a case to whoever may read the case.
func (w *Casework) serveFile(site *web.Site, actor func(*http.Request) gov.Actor) http.HandlerFunc {
	return w.ofCase(site, actor, func(rw http.ResponseWriter, r *http.Request, c *Case, id string) error {
		return w.Files.Serve(rw, r, c, id)
	})
}

// previewSuffix ends the address of a file, for the picture of its first page.
const previewSuffix = "/preview"

// draftPreview shows that of a file of a draft to whoever writes the draft.
func (m *Mine) draftPreview(w http.ResponseWriter, r *http.Request) {
	d, err := m.Draft(r.Context(), m.Actor(r).ID, r.PathValue("draft"))
	if err == nil && m.Files == nil {
		err = problem.New(problem.NotFound, "upload.none")
	}
	if err == nil {
		err = m.Files.PreviewDraft(w, r, &d, r.PathValue("file"))
	}
	if err != nil {
		m.Site.Fail(w, r, err)
	}
}

// pictures tells of the files of a draft where their first pages are shown. The files
// are looked up when the first is asked for: most pages have none.
func (m *Mine) pictures(r *http.Request, x *writing) func(string) string {
	if m.Files == nil {
		return nil
	}
	shown := sync.OnceValue(func() map[string]bool {
		out := map[string]bool{}
		list, err := m.Files.OfDraft(r.Context(), &x.Draft)
		if err != nil {
			m.Log.WarnContext(r.Context(), "the files of a draft can't be shown", "error", err)
		}
		for _, f := range list {
			out[f.ID] = f.Previewed
		}
		return out
	})
	return func(ref string) string {
		if !shown()[ref] {
			return ""
		}
		return "/" + string(web.LangOf(r)) + x.root + "/drafts/" + x.ID + "/files/" + ref + previewSuffix
	}
}

// previewFile shows its first page to the same people.
func (w *Casework) previewFile(site *web.Site, actor func(*http.Request) gov.Actor) http.HandlerFunc {
	return w.ofCase(site, actor, func(rw http.ResponseWriter, r *http.Request, c *Case, id string) error {
		return w.Files.Preview(rw, r, c, id)
	})
}

func (w *Casework) ofCase(site *web.Site, actor func(*http.Request) gov.Actor, give func(http.ResponseWriter, *http.Request, *Case, string) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		c, err := w.Find(r.Context(), actor(r), r.PathValue("number"))
		if err == nil && w.Files == nil {
			err = problem.New(problem.NotFound, "upload.none")
		}
		if err == nil {
			err = give(rw, r, c, r.PathValue("file"))
		}
		if err != nil {
			site.Fail(rw, r, err)
		}
	}
}
