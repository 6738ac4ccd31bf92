package policy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"diwan/internal/gov"
)

// matrix reads the table of who may do what: action, role, words.
func matrix(t *testing.T) (roles []gov.Role, cells map[Action]map[gov.Role][]string) {
	b, err := os.ReadFile("testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	cells = map[Action]map[gov.Role][]string{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case len(f) > 2 && f[0] == "#" && f[1] == "action":
			for _, r := range f[2:] {
				roles = append(roles, gov.Role(r))
			}
		case f[0] != "#":
			if len(f) != len(roles)+1 {
				t.Fatalf("the row of %s has %d columns, want %d", f[0], len(f), len(roles)+1)
			}
			row := map[gov.Role][]string{}
			for i, c := range f[1:] {
				row[roles[i]] = strings.Split(c, ",")
			}
			cells[Action(f[0])] = row
		}
	}
	return roles, cells
}

// kindOf is what an action is done to.
func kindOf(a Action) Kind {
	switch {
	case strings.HasPrefix(string(a), "form."):
		return Form
	case strings.HasPrefix(string(a), "person."):
		return Person
	case strings.HasPrefix(string(a), "holiday."):
		return Calendar
	case strings.HasPrefix(string(a), "verifier."):
		return Verifier
	case a == CredentialTypes:
		return DocumentType
	case strings.HasPrefix(string(a), "credential."):
		return Document
	}
	return Case
}

func TestEveryActionOfEveryRoleInEveryPlace(t *testing.T) {
	roles, cells := matrix(t)
	for _, r := range []gov.Role{gov.RoleEditor, gov.RoleCommission, gov.RoleSteward, gov.RoleExchange, gov.RolePerson, gov.RoleReceive, gov.RoleStudy, gov.RoleSign, gov.RoleSupervise, gov.RoleCounter} {
		if !slices.Contains(roles, r) {
			t.Errorf("the table has no column for %s", r)
		}
	}
	for a := range cells {
		if !slices.Contains(Actions(), a) {
			t.Errorf("the table has a row for %s, which is no action", a)
		}
	}
	places := []struct {
		name, administration, unit string
		here                       bool
	}{
		{"the same unit", "town", "permits", true}, {"the whole administration", "town", "", true}, {"everywhere", "", "", true},
		{"another unit", "town", "roads", false}, {"another administration", "village", "permits", false}, {"another administration, no unit", "village", "", false},
	}
	for _, do := range Actions() {
		row := cells[do]
		if row == nil {
			t.Errorf("the table has no row for %s", do)
			continue
		}
		for _, role := range roles {
			for _, at := range places {
				a := Actor{Actor: gov.Actor{ID: "me", Roles: []gov.Role{role}, Administration: at.administration, Unit: at.unit}}
				on := Resource{Kind: kindOf(do), ID: "7", Administration: "town", Unit: "permits", Applicant: "you", Account: "you"}
				if role == gov.RolePerson {
					a.Administration, a.Unit, a.For = "", "", "me"
				}
				if ok, why := May(a, do, on); ok != (at.here && slices.Contains(row[role], "here")) {
					t.Errorf("%s as %s in %s: %v, %s", do, role, at.name, ok, why)
				}
				if role == gov.RolePerson {
					on.Applicant, on.Account = "me", "me"
					if ok, why := May(a, do, on); ok != slices.Contains(row[role], "own") {
						t.Errorf("%s as a person in their own matter: %v, %s", do, ok, why)
					}
					continue
				}
				on.Asked = []string{"village"}
				want := at.here && slices.Contains(row[role], "here") || at.administration == "village" && slices.Contains(row[role], "asked")
				if ok, why := May(a, do, on); ok != want {
					t.Errorf("%s as %s in %s, when the village was asked: %v, %s", do, role, at.name, ok, why)
				}
				on.Asked, on.Above = nil, "village"
				want = at.here && slices.Contains(row[role], "here") || at.administration == "village" && slices.Contains(row[role], "above")
				if ok, why := May(a, do, on); ok != want {
					t.Errorf("%s as %s in %s, when it lies before the village: %v, %s", do, role, at.name, ok, why)
				}
			}
		}
	}
}

func TestNobodyMayNothing(t *testing.T) {
	for _, do := range Actions() {
		for _, a := range []Actor{{}, {Actor: gov.Actor{ID: "x"}}, {Actor: gov.Actor{ID: "x", Roles: []gov.Role{"king"}}}, {Actor: gov.Actor{Roles: []gov.Role{gov.RoleSign, gov.RolePerson}}}} {
			if ok, _ := May(a, do, Resource{Kind: kindOf(do), ID: "7"}); ok {
				t.Errorf("%+v may %s", a, do)
			}
		}
	}
}

func TestSeparationOfDuties(t *testing.T) {
	officer := Actor{Actor: gov.Actor{ID: "me", Administration: "town", Roles: []gov.Role{gov.RoleStudy, gov.RoleSign, gov.RoleReceive, gov.RoleSupervise, gov.RoleCounter, gov.RoleEditor, gov.RoleCommission}}}
	person := func(as string, procedures ...string) Actor {
		return Actor{Actor: gov.Actor{ID: "me", Roles: []gov.Role{gov.RolePerson}}, For: as, Procedures: procedures}
	}
	here := Resource{Kind: Case, ID: "7", Administration: "town", Applicant: "you"}
	with := func(change func(*Resource)) Resource { r := here; change(&r); return r }
	for name, tt := range map[string]struct {
		who    Actor
		do     Action
		on     Resource
		ok     bool
		reason string
	}{
		"signs":                                  {officer, CaseSign, here, true, "casework_signs"},
		"signs what they prepared":               {officer, CaseSign, with(func(r *Resource) { r.Preparer = "me"; r.Separate = true }), false, "separation"},
		"decides what they prepared":             {officer, CaseDecide, with(func(r *Resource) { r.Preparer = "me"; r.Separate = true }), false, "separation"},
		"where no second hand is wanted":         {officer, CaseDecide, with(func(r *Resource) { r.Preparer = "me" }), true, "casework_signs"},
		"studies their own case":                 {officer, CasePrepare, with(func(r *Resource) { r.Applicant = "me" }), false, "own_matter"},
		"decides for whom they filed":            {officer, CaseDecide, with(func(r *Resource) { r.Representative = "me" }), false, "own_matter"},
		"hears an appeal against their decision": {officer, CaseDecide, with(func(r *Resource) { r.Deciders = []string{"you", "me"} }), false, "separation_appeal"},
		"hears another's":                        {officer, CaseDecide, with(func(r *Resource) { r.Deciders = []string{"you"} }), true, "casework_signs"},
		"certifies for themselves":               {officer, CaseCertify, with(func(r *Resource) { r.Administration, r.Above, r.Applicant = "village", "town", "me" }), false, "own_matter"},
		"publishes their own form":               {officer, FormPublish, Resource{Kind: Form, ID: "f", Administration: "town", Preparer: "me"}, false, "separation_form"},
		"refunds at their own asking":            {officer, PaymentRefund, with(func(r *Resource) { r.Refunder = "me" }), false, "separation_refund"},
		"acts for a firm":                        {person("firm:1"), CaseFile, with(func(r *Resource) { r.Applicant = "firm:1" }), true, "own_case"},
		"acts for another firm":                  {person("firm:2"), CaseFile, with(func(r *Resource) { r.Applicant = "firm:1" }), false, NotPermitted},
		"their own case as a firm":               {person("firm:1"), CaseRead, with(func(r *Resource) { r.Applicant = "me" }), false, NotPermitted},
		"within the mandate":                     {person("you", "a"), CaseFile, with(func(r *Resource) { r.Procedure = "a" }), true, "own_case"},
		"beyond the mandate":                     {person("you", "a"), CaseFile, with(func(r *Resource) { r.Procedure = "b" }), false, "mandate_scope"},
		"erases whom they act for":               {person("you"), PersonErase, Resource{Kind: Person, ID: "you", Account: "you"}, false, NotPermitted},
		"erases themselves as another":           {person("you"), PersonErase, Resource{Kind: Person, ID: "me", Account: "me"}, false, NotPermitted},
		"nobody's case":                          {person(""), CaseRead, with(func(r *Resource) { r.Applicant = "" }), false, NotPermitted},
		"signs a document":                       {officer, CredentialSign, Resource{Kind: Document, ID: "d", Administration: "town", Applicant: "you", Preparer: "other"}, true, "documents_signed"},
		"signs what they decided":                {officer, CredentialSign, Resource{Kind: Document, ID: "d", Administration: "town", Applicant: "you", Preparer: "me"}, false, "separation_document"},
		"revokes their own document":             {officer, CredentialRevoke, Resource{Kind: Document, ID: "d", Administration: "town", Applicant: "me"}, false, "own_document_matter"},
		"holds another's document":               {person("me"), CredentialHold, Resource{Kind: Document, ID: "d", Administration: "town", Applicant: "you"}, false, NotPermitted},
		"a case as a form":                       {officer, FormPublish, here, false, NotPermitted},
	} {
		if ok, why := May(tt.who, tt.do, tt.on); ok != tt.ok || why != tt.reason {
			t.Errorf("%s: %v, %s", name, ok, why)
		}
	}
}

func BenchmarkMay(b *testing.B) {
	a := Actor{Actor: gov.Actor{ID: "me", Administration: "town", Roles: []gov.Role{gov.RoleSign}}}
	for b.Loop() {
		May(a, CaseSign, Resource{Kind: Case, ID: "7", Administration: "town", Applicant: "you"})
	}
}
