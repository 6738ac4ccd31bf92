package gazette

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

type operationsData struct {
	desk
	State   string
	States  []countView
	Reasons []reasonCount
	Rows    []operationRow
	Pager   listPager
}

type reasonCount struct {
	Code, Words, Href string
	N                 int
	On                bool
}

type operationRow struct {
	ID      string
	Work    *workView // the amending work
	Target  *workView
	Clause  string
	Lang    string
	Dir     string
	Why     string
	State   string
	Article string
}

// opStates are the states that the desk lists, the one that waits first.
var opStates = []string{OpManual, OpAbsent, OpApplied, OpIncluded, OpDropped, OpPending}

// operations lists amending clauses by what became of them.
func (o *Office) operations(w http.ResponseWriter, r *http.Request) {
	d, query, err := o.operationsData(r)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.show(w, r, http.StatusOK, "office-operations", o.Site.Printer(r).T("law.office.operations"), "/office/gazette/operations"+here(query, d.Pager.Page), d)
}

func (o *Office) operationsData(r *http.Request) (*operationsData, string, error) {
	g, ctx, q := o.Gazette, r.Context(), r.URL.Query()
	d := &operationsData{desk: o.desk(r, "operations"), State: q.Get("state")}
	if !slices.Contains(opStates, d.State) {
		d.State = OpManual
	}
	reason := q.Get("reason")
	if reason != "" && !validID(reason) {
		reason = ""
	}
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT state, reason, count(*) FROM gazette_operation GROUP BY state, reason ORDER BY 3 DESC, 1, 2`)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	states, total := map[string]int{}, 0
	for rows.Next() {
		var state, code string
		var n int
		if err := rows.Scan(&state, &code, &n); err != nil {
			return nil, "", err
		}
		states[state] += n
		if state == d.State && state == OpManual {
			d.Reasons = append(d.Reasons, reasonCount{code, o.codeWords(r, "law.op.reason.", code), "?state=" + state + "&reason=" + url.QueryEscape(code), n, code == reason})
			if code == reason {
				total = n
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	for _, s := range opStates {
		if states[s] > 0 || s == OpManual {
			d.States = append(d.States, countView{Value: s, N: states[s], Href: "?state=" + s, On: s == d.State})
		}
	}
	query, where, args := "?state="+d.State, `WHERE state = $1`, []any{d.State}
	if d.State == OpManual && (reason == "" || total == 0) {
		query = "" // what the page shows by itself
	}
	if reason != "" && total > 0 {
		query, where, args = query+"&reason="+url.QueryEscape(reason), where+` AND reason = $2`, append(args, reason)
	} else {
		total = states[d.State]
	}
	page := pageOf(r)
	k := len(args)
	ops, err := g.store.operations(ctx, g.store.db.Reader(), where+` ORDER BY target DESC, text, n LIMIT $`+itoa(k+1)+` OFFSET $`+itoa(k+2), append(args, listSize, (page-1)*listSize)...)
	if err != nil {
		return nil, "", err
	}
	d.Pager = newPager(page, listSize, total, query)
	for _, op := range ops {
		row, err := o.operationRow(r, op)
		if err != nil {
			return nil, "", err
		}
		row.Clause = short(row.Clause, 360)
		d.Rows = append(d.Rows, *row)
	}
	return d, query, nil
}

// operationRow names a clause, the text it stands in and the one it changes.
func (o *Office) operationRow(r *http.Request, op *Operation) (*operationRow, error) {
	g, ctx, lang := o.Gazette, r.Context(), web.LangOf(r)
	row := &operationRow{ID: op.ID, State: op.State, Article: op.Article}
	if op.State == OpDropped {
		row.Why = op.Reason
	} else if op.Reason != "" {
		row.Why = o.codeWords(r, "law.op.reason.", op.Reason)
	}
	works, err := g.Works(ctx, []string{op.Work, op.TargetWork})
	if err != nil {
		return nil, err
	}
	for _, one := range []struct {
		id   string
		into **workView
	}{{op.Work, &row.Work}, {op.TargetWork, &row.Target}} {
		if w := works[one.id]; w != nil {
			v := o.view(w, lang)
			*one.into = &v
		}
	}
	piece, err := g.store.readRow(ctx, g.store.db.Reader(), op.Text, op.EID)
	if err != nil {
		return row, nil // the clause alone is still worth showing
	}
	row.Clause = cut(piece.Text, op.Start, op.End)
	langs, err := g.langsOf(ctx, []*Row{piece})
	row.Lang = twoLetters(langs[op.Text])
	row.Dir = o.dir(row.Lang)
	return row, err
}

// cut is a part of a text by its bytes, whatever they are.
func cut(s string, from, to int) string {
	from, to = max(0, min(from, len(s))), max(0, min(to, len(s)))
	if from >= to {
		return s
	}
	return strings.ToValidUTF8(s[from:to], "")
}

type operationData struct {
	desk
	operationRow
	Before  string // of the article, before the clause
	After   string
	Piece   string
	PieceAt string
	Seen    string
	Form    Decision
	Actions []actionView
	Decided gov.Text
	Past    bool
}

type actionView struct {
	Value model.Action
	On    bool
}

func (o *Office) operationPage(w http.ResponseWriter, r *http.Request) {
	d, err := o.operationData(r, r.PathValue("id"))
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	o.showOperation(w, r, http.StatusOK, d)
}

func (o *Office) showOperation(w http.ResponseWriter, r *http.Request, status int, d *operationData) {
	for _, a := range Actions {
		d.Actions = append(d.Actions, actionView{a, a == d.Form.Action})
	}
	o.show(w, r, status, "office-operation", o.Site.Printer(r).T("law.office.operation"), "/office/gazette/operations/"+d.ID, d)
}

func (o *Office) operationData(r *http.Request, id string) (*operationData, error) {
	g, ctx := o.Gazette, r.Context()
	op, err := g.operation(ctx, g.store.db.Reader(), id)
	if err != nil {
		return nil, err
	}
	row, err := o.operationRow(r, op)
	if err != nil {
		return nil, err
	}
	d := &operationData{desk: o.desk(r, "operations"), operationRow: *row, Seen: op.mark(), PieceAt: "/" + string(web.LangOf(r)) + op.Work + anchor(op.EID),
		Form: Decision{Target: op.TargetWork, Action: op.Action, Article: op.Article, Paragraph: op.Paragraph, Label: op.Label, Old: op.Old, New: op.New, Effective: op.Effective}}
	if d.Form.Effective == "" {
		d.Form.Effective = op.EffectiveFrom
	}
	if op.DecidedBy != "" {
		d.Decided, d.Past = o.NameOf(r, op.DecidedBy), true
	}
	if piece, err := g.store.readRow(ctx, g.store.db.Reader(), op.Text, op.EID); err == nil {
		d.Piece = piece.Piece.Title()
		d.Before, d.After = piece.Text[:max(0, min(op.Start, len(piece.Text)))], piece.Text[max(0, min(op.End, len(piece.Text))):]
	}
	return d, nil
}

// decide keeps what an officer decided about a clause.
func (o *Office) decide(w http.ResponseWriter, r *http.Request) {
	id, ctx := r.PathValue("id"), r.Context()
	line := func(name string) string { return short(oneLine(storable(r.PostFormValue(name))), 400) }
	form := Decision{Drop: r.PostFormValue("do") == "drop", Target: o.target(r, line("target")), Action: model.Action(line("action")), Article: line("article"),
		Paragraph: line("paragraph"), Label: line("label"), Old: line("old"), New: cleanText(r.PostFormValue("new")), Effective: model.Date(line("effective")), Why: line("why")}
	err := o.Gazette.Decide(ctx, o.Actor(r), id, r.PostFormValue("seen"), form, o.relinkLater(ctx))
	if err == nil {
		o.done(w, r, "/office/gazette/operations?saved=1")
		return
	}
	sentence, status := o.sentence(r, err)
	if sentence == "" {
		o.Site.Fail(w, r, err)
		return
	}
	d, err := o.operationData(r, id)
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d.Error, d.Form = sentence, form
	o.showOperation(w, r, status, d)
}

// target finds the work that an officer names by its address or by its number.
func (o *Office) target(r *http.Request, named string) string {
	if i := strings.Index(named, "/akn/"); i >= 0 {
		if iri, err := akn.ParseIRI(named[i:]); err == nil {
			return iri.Work()
		}
	}
	n, ok := o.Gazette.grammar.Number("", named, true)
	if !ok {
		return named
	}
	works, err := o.Gazette.store.works(r.Context(), o.Gazette.store.db.Reader(), `WHERE number_key = $1 ORDER BY id LIMIT 2`, n.Key())
	if err != nil || len(works) != 1 {
		return named
	}
	return works[0].ID
}
