package casework

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

type paymentsData struct {
	deskPage
	Office gov.Text
	State  string
	States []string
	Rows   []payRow
}

// payStates are those that an officer looks for.
var payStates = []string{PayPaid, PaySurplus, PayRefundAsked, PayRefundGranted, PayRefunded, PayRefused}

func (d *Desk) payments(w http.ResponseWriter, r *http.Request) {
	d.showPayments(w, r, http.StatusOK, "")
}

func (d *Desk) showPayments(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx := r.Context()
	data := paymentsData{deskPage: d.page(r, wrong), States: payStates}
	if s := r.URL.Query().Get("state"); slices.Contains(payStates, s) {
		data.State = s
	}
	data.Office = d.OfficeName(data.Who.Administration)
	all, err := d.OfficePayments(ctx, data.Who.Administration, data.State)
	for _, p := range all {
		var row payRow
		var seen bool
		if row, seen, err = d.officePay(r, p); err != nil {
			break
		}
		if seen {
			data.Rows = append(data.Rows, row)
		}
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, status, "payments", d.Site.Printer(r).T("pay.office"), asked("/office/payments", "state", data.State), data)
}

// officePay is a payment with what the officer may do; it is not seen by who may not
// read its case.
func (d *Desk) officePay(r *http.Request, p *Payment) (row payRow, seen bool, err error) {
	ctx, who := r.Context(), d.Actor(r)
	c, err := caseByID(ctx, d.DB.Reader(), p.Administration, p.caseID)
	if err != nil || d.May(ctx, who, MayRead, c) != nil {
		return row, false, err
	}
	row = d.payRow(p)
	row.Who = d.AccountName(ctx, p.AskedBy)
	row.May.Ask = (p.State == PayPaid || p.State == PaySurplus) && d.May(ctx, who, MayNote, c) == nil
	c.Refunder = p.AskedBy
	row.May.Grant = p.State == PayRefundAsked && d.May(ctx, who, MayRefund, c) == nil
	if p.AskedBy != "" {
		row.Reason, err = d.RefundReason(ctx, c, p)
	}
	return row, true, err
}

func (d *Desk) changePayment(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	id, who := r.PostFormValue("payment"), d.Actor(r)
	var err error
	switch r.PostFormValue("do") {
	case "ask":
		err = d.AskRefund(r.Context(), who, id, r.PostFormValue("words"))
	case "grant":
		err = d.GrantRefund(r.Context(), who, id)
	case "refuse":
		err = d.RefuseRefund(r.Context(), who, id)
	default:
		err = problem.New(problem.Invalid, "case.action_unknown", "action", "")
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showPayments(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/payments?saved=1")
}

// setFee writes what a case costs.
func (d *Desk) setFee(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	amount, ok := readAmount(r.PostFormValue("amount"))
	err := error(problem.New(problem.Invalid, "pay.amount"))
	if ok {
		err = d.SetFee(r.Context(), d.Actor(r), r.PathValue("number"), amount, r.PostFormValue("words"))
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showCase(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/cases/"+r.PathValue("number")+"?saved=1#money")
}

// readAmount reads an amount as people write it: "1 200,50", "1200.5". A separator
// before exactly two or one digits at the end is that of hundredths.
func readAmount(s string) (gov.Centimes, bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\u00a0' || r == '\u202f':
			return -1
		case r >= '\u0660' && r <= '\u0669':
			return '0' + r - '\u0660'
		case r == '\u066b':
			return ','
		}
		return r
	}, s)
	whole, part := s, ""
	if i := strings.LastIndexAny(s, ",."); i >= 0 {
		whole, part = s[:i], s[i+1:]
		if len(part) == 0 || len(part) > 2 || strings.ContainsAny(whole, ",.") {
			return 0, false
		}
	}
	for len(part) < 2 {
		part += "0"
	}
	if len(whole) == 0 || len(whole) > 12 || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+part, 10, 64)
	return gov.Centimes(n), err == nil
}
