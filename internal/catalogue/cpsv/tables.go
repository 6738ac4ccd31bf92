package cpsv

import (
	"reflect"

	"diwan/internal/catalogue/model"
)

// classes are all tables, by name.
var classes = map[string]*class{}

func define[T any](name, path string, types []string, table ...binding) *class {
	c := &class{name, path, types, table, reflect.TypeFor[T]()}
	classes[name] = c
	return c
}

var procedureClass = define[model.Procedure]("procedure", "procedures", []string{"cpsv:PublicService"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "dct:title", text, "", nil},
	binding{"Keywords", "dcat:keyword", words, "", nil},
	binding{"Summary", "dct:description", text, "", nil},
	binding{"WhoCanAsk", "diwan:whoCanAsk", text, "", nil},
	binding{"Audience", "dct:audience", codes, "audience", nil},
	binding{"Themes", "cv:thematicArea", refs, "theme", nil},
	binding{"Popular", "diwan:popular", number, "", nil},
	binding{"LegalBasis", "diwan:legalReference", parts, "legal", nil},
	binding{"Competent", "cv:hasCompetentAuthority", ref, "administration", nil},
	binding{"Receives", "diwan:receivedBy", refs, "administration", nil},
	binding{"Studies", "diwan:studiedBy", refs, "administration", nil},
	binding{"Delivers", "diwan:deliveredBy", refs, "administration", nil},
	binding{"Where", "diwan:where", text, "", nil},
	binding{"Evidence", "cv:hasInputType", parts, "evidence", nil},
	binding{"NoEvidence", "diwan:noEvidence", flag, "", nil},
	binding{"Filing", "diwan:filing", text, "", nil},
	binding{"Fees", "cv:hasCost", parts, "fee", nil},
	binding{"Free", "diwan:free", flag, "", nil},
	binding{"Deadline.Terms", "diwan:deadline", parts, "term", nil},
	binding{"Deadline.Basis", "diwan:deadlineBasis", literal, "", nil},
	binding{"Deadline.Elsewhere", "diwan:deadlineElsewhere", text, "", nil},
	binding{"Silence.Effect", "diwan:silenceEffect", code, "silence", nil},
	binding{"Silence.Basis", "diwan:silenceBasis", literal, "", nil},
	binding{"Silence.Note", "diwan:silenceNote", text, "", nil},
	binding{"Remedies", "diwan:appeal", parts, "remedy", nil},
	binding{"Extension.Possible", "diwan:extension", code, "extension", nil},
	binding{"Extension.Why", "diwan:extensionReason", text, "", nil},
	binding{"Extension.Basis", "diwan:extensionBasis", literal, "", nil},
	binding{"Steps", "diwan:step", parts, "step", nil},
	binding{"Validity", "diwan:validity", text, "", nil},
	binding{"Outputs", "cpsv:produces", codes, "output", nil},
	binding{"Related", "diwan:related", refs, "procedure", []string{"cv:relatedService"}},
	binding{"Listed", "diwan:listing", parts, "listing", nil},
	binding{"Sources", "diwan:source", parts, "source", nil},
	binding{"Unverified", "diwan:unverified", literals, "", nil},
	binding{"Translated", "diwan:translated", literals, "", nil},
	binding{"Demo", "diwan:demonstration", flag, "", nil},
)

var legalClass = define[model.LegalRef]("legal", "", []string{"diwan:LegalReference"},
	binding{"Address", "diwan:address", literal, "", nil},
	binding{"Title", "dct:title", text, "", nil},
	binding{"Note", "dct:description", text, "", nil},
)

var _ = define[model.Evidence]("evidence", "", []string{"cv:EvidenceType"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "skos:prefLabel", text, "", []string{"dct:title"}},
	binding{"Type", "cv:evidenceTypeClassification", code, "document", nil},
	binding{"By", "diwan:obtainedBy", code, "by", nil},
	binding{"From", "diwan:heldBy", ref, "administration", nil},
	binding{"Produced", "diwan:producedBy", ref, "procedure", nil},
	binding{"When", "diwan:condition", text, "", nil},
	binding{"Note", "dct:description", text, "", nil},
	binding{"Copies", "diwan:copies", number, "", nil},
	binding{"Legalised", "diwan:legalised", flag, "", nil},
	binding{"Certified", "diwan:certified", flag, "", nil},
	binding{"NotPersonal", "diwan:notPersonal", flag, "", nil},
	binding{"Legal", "diwan:address", literal, "", nil},
)

var _ = define[model.Fee]("fee", "", []string{"cv:Cost"},
	binding{"Name", "dct:description", text, "", nil},
	binding{"Amount", "cv:hasValue", double, "", nil},
	binding{"Min", "diwan:minimum", decimal, "", nil},
	binding{"Max", "diwan:maximum", decimal, "", nil},
	binding{"Rule", "diwan:rule", text, "", nil},
	binding{"When", "diwan:condition", text, "", nil},
)

var _ = define[model.Term]("term", "", []string{"diwan:Deadline"},
	binding{"Days", "diwan:days", number, "", nil},
	binding{"AtOnce", "diwan:atOnce", flag, "", nil},
	binding{"When", "diwan:condition", text, "", nil},
)

var _ = define[model.Remedy]("remedy", "", []string{"diwan:Appeal"},
	binding{"Kind", "diwan:appealKind", code, "appeal-kind", nil},
	binding{"To", "diwan:appealTo", text, "", nil},
	binding{"Within", "diwan:withinDays", number, "", nil},
	binding{"Answer", "diwan:answerDays", number, "", nil},
	binding{"Basis", "diwan:address", literal, "", nil},
)

var _ = define[model.Step]("step", "", []string{"diwan:Step"},
	binding{"Title", "dct:title", text, "", nil},
	binding{"Text", "dct:description", text, "", nil},
	binding{"Legal", "diwan:address", literal, "", nil},
)

var _ = define[model.Listing]("listing", "", []string{"diwan:Listing"},
	binding{"List", "diwan:list", code, "list", nil},
	binding{"Number", "diwan:number", literal, "", nil},
	binding{"Name", "diwan:printedName", literal, "", nil},
	binding{"Terms", "diwan:deadline", parts, "term", nil},
)

var _ = define[model.Source]("source", "", []string{"diwan:Source"},
	binding{"Title", "dct:title", text, "", nil},
	binding{"Address", "diwan:address", literal, "", nil},
	binding{"URL", "diwan:url", literal, "", nil},
	binding{"Checked", "diwan:checked", day, "", nil},
)

var administrationClass = define[model.Administration]("administration", "administrations",
	[]string{"cv:PublicOrganisation", "org:Organization", "foaf:Agent"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "skos:prefLabel", text, "", []string{"dct:title"}},
	binding{"Kind", "diwan:kind", code, "kind", nil},
	binding{"Parent", "diwan:parent", ref, "administration", nil},
	binding{"Region", "diwan:region", code, "region", nil},
	binding{"About", "dct:description", text, "", nil},
	binding{"Languages", "diwan:speaks", literals, "", nil},
	binding{"Contacts", "diwan:contact", parts, "contact", nil},
	binding{"Hours", "diwan:hours", parts, "hours", nil},
	binding{"Offices", "diwan:office", parts, "office", nil},
	binding{"Sources", "diwan:source", parts, "source", nil},
	binding{"Unverified", "diwan:unverified", literals, "", nil},
	binding{"Translated", "diwan:translated", literals, "", nil},
	binding{"Demo", "diwan:demonstration", flag, "", nil},
	binding{"Printed", "diwan:spelling", literals, "", nil},
)

var _ = define[model.Contact]("contact", "", []string{"diwan:Contact"},
	binding{"Kind", "diwan:contactKind", code, "contact-kind", nil},
	binding{"Value", "diwan:value", literal, "", nil},
	binding{"Note", "dct:description", text, "", nil},
)

var _ = define[model.Hours]("hours", "", []string{"diwan:Hours"},
	binding{"Days", "diwan:weekday", literals, "", nil},
	binding{"Open", "diwan:opens", literal, "", nil},
	binding{"Close", "diwan:closes", literal, "", nil},
	binding{"Note", "dct:description", text, "", nil},
)

var _ = define[model.Office]("office", "", []string{"diwan:Office"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "dct:title", text, "", nil},
	binding{"Region", "diwan:region", code, "region", nil},
	binding{"City", "diwan:city", text, "", nil},
	binding{"Address", "diwan:postalAddress", text, "", nil},
	binding{"Contacts", "diwan:contact", parts, "contact", nil},
	binding{"Demo", "diwan:demonstration", flag, "", nil},
)

var serviceClass = define[model.OnlineService]("service", "services", []string{"cv:Channel"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "dct:title", text, "", []string{"dct:description"}},
	binding{"Administration", "cv:ownedBy", ref, "administration", nil},
	binding{"URL", "diwan:url", literal, "", nil},
	binding{"Channel", "dct:type", code, "channel", nil},
	binding{"Level", "diwan:level", code, "level", nil},
	binding{"Available", "diwan:available", text, "", nil},
	binding{"Procedures", "diwan:serves", refs, "procedure", nil},
	binding{"Sources", "diwan:source", parts, "source", nil},
	binding{"Unverified", "diwan:unverified", literals, "", nil},
	binding{"Translated", "diwan:translated", literals, "", nil},
)

var themeClass = define[model.Theme]("theme", "themes", []string{"diwan:Theme", "skos:Concept"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Name", "skos:prefLabel", text, "", nil},
	binding{"Icon", "diwan:icon", literal, "", nil},
	binding{"About", "dct:description", text, "", nil},
	binding{"Translated", "diwan:translated", literals, "", nil},
)

var eventClass = define[model.LifeEvent]("event", "life-events", []string{"cv:Event"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Kind", "dct:type", code, "event-kind", nil},
	binding{"Name", "dct:title", text, "", nil},
	binding{"Icon", "diwan:icon", literal, "", nil},
	binding{"Short", "diwan:short", text, "", nil},
	binding{"Intro", "dct:description", text, "", nil},
	binding{"Stages", "diwan:stage", parts, "stage", nil},
	binding{"Questions", "diwan:question", parts, "question", nil},
	binding{"Translated", "diwan:translated", literals, "", nil},
	binding{"Unverified", "diwan:unverified", literals, "", nil},
)

var _ = define[model.Stage]("stage", "", []string{"diwan:Stage"},
	binding{"Title", "dct:title", text, "", nil},
	binding{"Text", "dct:description", text, "", nil},
	binding{"Procedures", "diwan:needs", refs, "procedure", nil},
	binding{"When", "diwan:condition", text, "", nil},
)

var _ = define[model.Question]("question", "", []string{"diwan:Question"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Text", "dct:title", text, "", nil},
	binding{"Hint", "dct:description", text, "", nil},
	binding{"Answers", "diwan:answer", parts, "answer", nil},
)

var _ = define[model.Answer]("answer", "", []string{"diwan:Answer"},
	binding{"ID", "dct:identifier", literal, "", nil},
	binding{"Text", "dct:title", text, "", nil},
	binding{"Next", "diwan:next", literal, "", nil},
	binding{"Procedures", "diwan:needs", refs, "procedure", nil},
	binding{"Note", "dct:description", text, "", nil},
)
