package exchange

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"diwan/internal/db"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/xroad"
)

// systemActor is the program itself.
var systemActor = gov.Actor{ID: "system"}

// NodeState is what a node says of itself.
type NodeState struct {
	Addresses   []string `json:"addresses"`
	HTTP        string   `json:"http"`
	Maintenance string   `json:"maintenance"` // why it is closed for now
	// MaintenanceBy and MaintenanceSince say who closed it, and when.
	MaintenanceBy    string    `json:"maintenance_by,omitempty"`
	MaintenanceSince time.Time `json:"maintenance_since,omitzero"`
	// Log is the key of the member's transparency log, Witness that of the member
	// as a witness; empty when the node says nothing of them.
	Log     string `json:"log,omitempty"`
	Witness string `json:"witness,omitempty"`
}

// maxWords bounds names and reasons.
const maxWords = 500

// SetNode keeps what a node says of itself.
func (x *Exchange) SetNode(ctx context.Context, by Caller, s NodeState) error {
	if err := checkAddresses(s.Addresses, s.HTTP, nil); err != nil {
		return err
	}
	if len(s.Maintenance) > maxWords || len(s.MaintenanceBy) > maxWords {
		return problem.New(problem.Invalid, "exchange.too_long")
	}
	if err := checkLogKeys(by.Member, s.Log, s.Witness); err != nil {
		return err
	}
	if s.Maintenance == "" {
		s.MaintenanceBy, s.MaintenanceSince = "", time.Time{}
	}
	return x.change(ctx, by.actor(), "exchange.node.changed", by.Member+"/"+by.Node, nil, func(tx *db.Tx) error {
		if err := x.firstLogKeys(ctx, tx, by, s.Log, s.Witness); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE exchange_node SET addresses = $3, http = $4, maintenance = $5, maintenance_by = $6, maintenance_since = $7, seen_at = $8 WHERE member = $1 AND name = $2`,
			by.Member, by.Node, jsonOf(s.Addresses), s.HTTP, s.Maintenance, s.MaintenanceBy, moment(s.MaintenanceSince), db.Micros(x.clock.Now())))
	})
}

// SetSubsystem registers an information system of a member.
func (x *Exchange) SetSubsystem(ctx context.Context, by gov.Actor, member, code string, name gov.Text) error {
	if !codeForm.MatchString(code) {
		return problem.New(problem.Invalid, "exchange.code")
	}
	if err := checkText(name); err != nil {
		return err
	}
	id := member + "/" + code
	return x.change(ctx, by, "exchange.subsystem.set", id, nil, func(tx *db.Tx) error {
		if _, err := x.store.member(ctx, tx, member); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_subsystem (id, member, code, name) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
			id, member, code, jsonOf(name))
		return err
	})
}

// Offer is a service as its member describes it.
type Offer struct {
	Type           string            `json:"type"` // OPENAPI or REST
	Title          map[string]string `json:"title"`
	Classification string            `json:"classification"`
	LegalBasis     []string          `json:"legal_basis"`
	Events         []string          `json:"events"`
	Endpoints      []xroad.Endpoint  `json:"endpoints"` // of plain REST
	OpenAPI        string            `json:"openapi"`   // the file, of OPENAPI
	Maintenance    string            `json:"maintenance"`
}

// Bounds of an offer.
const (
	maxOpenAPI   = 700 << 10 // within what the portal takes in one request
	maxEndpoints = 1000
	maxList      = 100
)

var (
	eventForm = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+){0,20}$`)
	basisForm = regexp.MustCompile(`^/akn/[A-Za-z0-9./~@_-]{1,300}(#[A-Za-z0-9_-]{1,100})?$`)
)

// SetService registers what a subsystem offers. Each operation of an OpenAPI
// description is listed.
func (x *Exchange) SetService(ctx context.Context, by gov.Actor, member, subsystem, code string, o Offer) error {
	if err := o.check(code); err != nil {
		return err
	}
	hash := ""
	if o.Type == "OPENAPI" {
		endpoints, err := operationsOf(ctx, o.OpenAPI)
		if err != nil {
			return err
		}
		o.Endpoints, hash = endpoints, snapshot.Hash([]byte(o.OpenAPI))
	}
	id := member + "/" + subsystem + "/" + code
	return x.change(ctx, by, "exchange.service.set", id, map[string]string{"description": hash}, func(tx *db.Tx) error {
		m, err := x.store.member(ctx, tx, member)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(m.Subsystems, func(s Subsystem) bool { return s.Code == subsystem }) {
			return problem.New(problem.NotFound, "exchange.subsystem_not_found")
		}
		if hash != "" {
			if _, err := tx.ExecContext(ctx, `INSERT INTO exchange_description (sha256, body) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING`, hash, []byte(o.OpenAPI)); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exchange_service (id, member, subsystem, code, kind, title, endpoints, classification, legal_basis, events, description, maintenance, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, title = excluded.title, endpoints = excluded.endpoints,
			classification = excluded.classification, legal_basis = excluded.legal_basis, events = excluded.events, description = excluded.description,
			maintenance = excluded.maintenance, updated_at = excluded.updated_at`,
			id, member, subsystem, code, o.Type, jsonOf(o.Title), jsonOf(o.Endpoints), o.Classification, jsonOf(o.LegalBasis), jsonOf(o.Events), hash, o.Maintenance, db.Micros(x.clock.Now()))
		return err
	})
}

func (o *Offer) check(code string) error {
	wrong := func(code string) error { return problem.New(problem.Invalid, code) }
	switch {
	case !codeForm.MatchString(code) || xroad.IsMetaservice(code):
		return wrong("exchange.code")
	case o.Type != "OPENAPI" && o.Type != "REST":
		return wrong("exchange.service_type")
	case !slices.Contains(Classifications, o.Classification):
		return wrong("exchange.classification")
	case len(o.LegalBasis) > maxList || slices.ContainsFunc(o.LegalBasis, func(a string) bool { return !basisForm.MatchString(a) }):
		return wrong("exchange.legal_basis")
	case len(o.LegalBasis) == 0 && o.Classification != "public":
		return wrong("exchange.legal_basis_missing")
	case len(o.Events) > maxList || slices.ContainsFunc(o.Events, func(e string) bool { return !eventForm.MatchString(e) }):
		return wrong("exchange.event_type")
	case len(o.OpenAPI) > maxOpenAPI || len(o.Endpoints) > maxEndpoints || len(o.Maintenance) > maxWords:
		return wrong("exchange.too_long")
	}
	for _, e := range o.Endpoints {
		if _, err := xroad.ParseGlob(e.Path); err != nil || e.Method != "*" && !xroad.ValidMethod(e.Method) {
			return wrong("exchange.endpoint")
		}
	}
	return checkText(textOf(o.Title))
}

func checkText(t gov.Text) error {
	if strings.TrimSpace(firstOf(t)) == "" {
		return problem.New(problem.Invalid, "exchange.name")
	}
	for _, s := range t {
		if len(s) > maxWords {
			return problem.New(problem.Invalid, "exchange.too_long")
		}
	}
	return nil
}

// operationsOf lists the operations of an OpenAPI 3 description, with a star for
// each parameter in a path. References to other files are not followed: they would
// let a member read what the directory can reach.
func operationsOf(ctx context.Context, text string) ([]xroad.Endpoint, error) {
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	doc, err := loader.LoadFromData([]byte(text))
	if err == nil {
		err = doc.Validate(ctx, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	}
	if err != nil || !strings.HasPrefix(doc.OpenAPI, "3.") || doc.Paths == nil {
		return nil, problem.Wrap(err, problem.Invalid, "exchange.openapi")
	}
	var out []xroad.Endpoint
	for _, path := range doc.Paths.InMatchingOrder() {
		glob := parameter.ReplaceAllString(path, "*")
		for method := range doc.Paths.Value(path).Operations() {
			out = append(out, xroad.Endpoint{Method: method, Path: glob})
		}
	}
	slices.SortFunc(out, func(a, b xroad.Endpoint) int {
		return strings.Compare(a.Path+"\x00"+a.Method, b.Path+"\x00"+b.Method)
	})
	if len(out) > maxEndpoints {
		return nil, problem.New(problem.Invalid, "exchange.too_long")
	}
	for _, e := range out {
		if _, err := xroad.ParseGlob(e.Path); err != nil || !slices.Contains([]string{http.MethodTrace, http.MethodConnect}, e.Method) && !xroad.ValidMethod(e.Method) {
			return nil, problem.Wrap(err, problem.Invalid, "exchange.openapi")
		}
	}
	return out, nil
}

var parameter = regexp.MustCompile(`\{[^{}/]+\}`)
