// Package policy says who may do what. The rules lie in files of their own, in the
// language Cedar, so that an auditor can read all of them in one place and a
// change of them is a change of data; this package gives them the facts and asks.
// What no rule permits is refused, and a rule that forbids wins over all others.
package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	cedar "github.com/cedar-policy/cedar-go"

	"diwan/internal/gov"
)

// Action is something that somebody wants to do.
type Action string

// The actions, named as in the rules.
const (
	CaseRead      Action = "case.read"
	CaseFile      Action = "case.file"
	CaseDraft     Action = "case.draft"
	CaseMessage   Action = "case.message"
	CaseWithdraw  Action = "case.withdraw"
	CaseAppeal    Action = "case.appeal"
	CasePay       Action = "case.pay"
	CaseAssign    Action = "case.assign"
	CaseRequest   Action = "case.request"
	CasePrepare   Action = "case.prepare"
	CaseSign      Action = "case.sign"
	CaseDecide    Action = "case.decide"
	CaseExtend    Action = "case.extend"
	CaseOpinion   Action = "case.opinion"
	CaseNote      Action = "case.note"
	CaseExport    Action = "case.export"
	CaseSupervise Action = "case.supervise"
	CaseCertify   Action = "case.certify"
	FormEdit      Action = "form.edit"
	FormPublish   Action = "form.publish"
	PaymentRefund Action = "payment.refund"
	HolidayEdit   Action = "holiday.edit"
	PersonExport  Action = "person.export"
	PersonErase   Action = "person.erase"
	APICases      Action = "api.cases"

	CredentialRead   Action = "credential.read"
	CredentialHold   Action = "credential.hold"
	CredentialMend   Action = "credential.mend"
	CredentialSign   Action = "credential.sign"
	CredentialRevoke Action = "credential.revoke"
	CredentialTypes  Action = "credential.types"
	VerifierManage   Action = "verifier.manage"
	VerifierJoin     Action = "verifier.join"
	VerifierAsk      Action = "verifier.ask"
)

// Actions returns all of them. A test holds the list against the rules and against
// the table of who may do what.
func Actions() []Action {
	return []Action{CaseRead, CaseFile, CaseDraft, CaseMessage, CaseWithdraw, CaseAppeal, CasePay, CaseAssign, CaseRequest, CasePrepare, CaseSign,
		CaseDecide, CaseExtend, CaseOpinion, CaseNote, CaseExport, CaseSupervise, CaseCertify, FormEdit, FormPublish, PaymentRefund, HolidayEdit, PersonExport, PersonErase, APICases,
		CredentialRead, CredentialHold, CredentialMend, CredentialSign, CredentialRevoke, CredentialTypes, VerifierManage, VerifierJoin, VerifierAsk}
}

// Actor is who asks.
type Actor struct {
	gov.Actor
	// For is the subject that they act for: their own account, or whom a mandate
	// stands for. Empty acts for nobody, as officers do.
	For string
	// Procedures bound the mandate; none means all.
	Procedures []string
}

// Kind is the kind of thing that an action is done to.
type Kind string

// The kinds.
const (
	Case     Kind = "Case"
	Form     Kind = "Form"
	Person   Kind = "Person"
	Calendar Kind = "Calendar"

	Document     Kind = "Document"
	DocumentType Kind = "DocumentType"
	Verifier     Kind = "Verifier"
)

// Resource is what an action is done to. Fields that say nothing stay empty, and an
// empty field equals nobody.
type Resource struct {
	Kind Kind
	ID   string
	// Administration and Unit own it; no unit belongs to the whole administration.
	Administration, Unit string
	// Applicant is the subject of a case, Representative the account that filed it
	// for them, Preparer the account that prepared the decision or edited the form,
	// Refunder the one that asked for a refund.
	Applicant, Representative, Preparer, Refunder string
	// Asked are the administrations whose opinion is open.
	Asked []string
	// Above is the administration above, when the case lies before it; Deciders had a
	// hand in what an appeal contests.
	Above     string
	Deciders  []string
	Procedure string
	// Separate says that the procedure wants another hand to sign than the one that
	// prepared.
	Separate bool
	// Account is the account that a person's data belong to, or that is one of the people of a
	// verifier.
	Account string
}

// NotPermitted is the reason when no rule permits.
const NotPermitted = "not_permitted"

//go:embed rules/*.cedar
var ruleFiles embed.FS

// rules reads the files once. They are a part of this program: a mistake in them is
// found by the first test.
var rules = sync.OnceValue(func() *cedar.PolicySet {
	set := cedar.NewPolicySet()
	names, err := fs.Glob(ruleFiles, "rules/*.cedar")
	if err != nil {
		panic(err)
	}
	for _, n := range names {
		b, err := ruleFiles.ReadFile(n)
		if err != nil {
			panic(err)
		}
		list, err := cedar.NewPolicyListFromBytes(n, b)
		if err != nil {
			panic(fmt.Errorf("the rules of %s: %w", n, err))
		}
		for _, p := range list {
			id := string(p.Annotations()["id"])
			if id == "" || !set.Add(cedar.PolicyID(id), p) {
				panic(fmt.Errorf("the rules of %s: a rule has no name of its own (%q)", n, id))
			}
		}
	}
	return set
})

// May tells whether an actor may do something, and which rule says so: the name of
// the rule that permits or forbids, or NotPermitted. A fault in judging refuses.
func May(a Actor, do Action, on Resource) (ok bool, reason string) {
	who, what := cedar.NewEntityUID("User", cedar.String(a.ID)), cedar.NewEntityUID(cedar.EntityType(on.Kind), cedar.String(on.ID))
	entities := cedar.EntityMap{
		who:  cedar.Entity{UID: who, Attributes: a.attributes(on)},
		what: cedar.Entity{UID: what, Attributes: on.attributes()},
	}
	decision, d := cedar.Authorize(rules(), entities, cedar.Request{Principal: who, Action: cedar.NewEntityUID("Action", cedar.String(do)), Resource: what})
	switch {
	case a.ID == "" || len(d.Errors) > 0:
		return false, NotPermitted
	case len(d.Reasons) > 0:
		return decision == cedar.Allow, string(d.Reasons[0].PolicyID)
	}
	return false, NotPermitted
}

// place is where something is: an administration and its unit. It is one word, so
// that a rule asks one thing; the separator stands in no id.
func place(administration, unit string) string { return administration + "\x1f" + unit }

// attributes are the facts about an actor. reaches holds the place of the thing when
// the actor's role holds there, and is empty otherwise.
func (a Actor) attributes(on Resource) cedar.Record {
	here := a.Works() && (a.Administration == "" || a.Administration == on.Administration) && (a.Unit == "" || on.Unit == "" || a.Unit == on.Unit)
	var reaches []string
	if here {
		reaches = []string{place(on.Administration, on.Unit)}
	}
	roles := make([]string, len(a.Roles))
	for i, r := range a.Roles {
		roles[i] = string(r)
	}
	return cedar.NewRecord(cedar.RecordMap{
		"id": cedar.String(a.ID), "roles": set(roles), "administration": cedar.String(a.Administration), "unit": cedar.String(a.Unit),
		"reaches": set(reaches), "for": cedar.String(a.For), "procedures": set(a.Procedures),
	})
}

// nobody stands where a resource names no account, so that it never equals one.
const nobody = "\x1f"

func named(s string) cedar.String {
	if s == "" {
		return nobody
	}
	return cedar.String(s)
}

func (r Resource) attributes() cedar.Record {
	return cedar.NewRecord(cedar.RecordMap{
		"place": cedar.String(place(r.Administration, r.Unit)), "applicant": named(r.Applicant), "representative": named(r.Representative), "preparer": named(r.Preparer),
		"refunder": named(r.Refunder), "asked": set(r.Asked), "above": named(r.Above), "deciders": set(r.Deciders), "procedure": cedar.String(r.Procedure), "separate": cedar.Boolean(r.Separate), "account": named(r.Account),
	})
}

func set(list []string) cedar.Set {
	out := make([]cedar.Value, len(list))
	for i, s := range list {
		out[i] = cedar.String(s)
	}
	return cedar.NewSet(out...)
}
