package gateway

import (
	"context"
	"net/http"
	"os"

	"diwan/internal/exchange/snapshot"
	"diwan/protocol/xroad"
	"diwan/protocol/xroad/openapi"
)

// own answers what the gateway answers itself: the metaservices, which every
// client may ask, signed and recorded like everything else, and the events.
func (p *provider) own(ctx context.Context, in *incoming) (*outgoing, error) {
	if in.head.Method != http.MethodGet {
		return nil, refused(xroad.InvalidRequest)
	}
	if _, ok := in.trust.view.Subsystem(in.target.Service.Provider); !ok {
		return nil, refused(xroad.UnknownService)
	}
	var typ string
	var body []byte
	var err error
	switch in.target.Service.Code {
	case xroad.ListMethods, xroad.AllowedMethods:
		typ = "application/json"
		body, err = p.methods(in)
	case xroad.GetOpenAPI:
		typ, body, err = p.description(ctx, in)
	case eventsCode:
		typ = "application/json"
		body, err = p.events(ctx, in)
	}
	if err != nil {
		return nil, err
	}
	return p.made(in, typ, body)
}

// made is an answer of the gateway's own; its body may be longer than what
// travels with a message.
func (p *provider) made(in *incoming, contentType string, body []byte) (*outgoing, error) {
	out := &outgoing{status: http.StatusOK, body: body}
	out.fold()
	return out, p.stamp(in, out, []xroad.Field{{Name: "Content-Type", Value: contentType}})
}

// methods lists the services of a subsystem: all, or those of which the client
// may call something.
func (p *provider) methods(in *incoming) ([]byte, error) {
	provider := in.target.Service.Provider
	sub, _ := in.trust.view.Subsystem(provider)
	allowed := in.target.Service.Code == xroad.AllowedMethods
	var list []xroad.Method
	for i := range sub.Services {
		s := &sub.Services[i]
		id := xroad.ServiceID{Provider: provider, Code: s.Code}
		if p.g.service(provider.Subsystem, s.Code) == nil || xroad.IsMetaservice(s.Code) {
			continue
		}
		m := xroad.Method{Service: id, OpenAPI: s.Type == "OPENAPI", Endpoints: s.Endpoints}
		if allowed {
			if m.Endpoints = p.allowed(in, id, s); m.Endpoints == nil {
				continue
			}
		}
		list = append(list, m)
	}
	b, err := xroad.MethodsJSON(list)
	if err != nil {
		return nil, refused(xroad.InternalError)
	}
	return b, nil
}

// allowed are the operations that contracts in force give the client.
func (p *provider) allowed(in *incoming, id xroad.ServiceID, s *snapshot.Service) []xroad.Endpoint {
	var out []xroad.Endpoint
	for _, g := range p.g.policy.Load().grants[pair{in.headers.Client.String(), id.String()}] {
		if in.now.Before(g.From) || !in.now.Before(g.Until) {
			continue
		}
		for _, o := range g.Properties.Operations {
			out = append(out, xroad.Endpoint{Method: o.Method, Path: o.Path})
		}
	}
	return out
}

// maxDescription bounds a file that is read for getOpenAPI.
const maxDescription = openapi.MaxBytes

// description is the OpenAPI file of a service with its servers reduced to their
// paths.
func (p *provider) description(ctx context.Context, in *incoming) (string, []byte, error) {
	code, err := xroad.OpenAPIService(in.target.Query)
	if err != nil {
		return "", nil, refused(xroad.InvalidRequest)
	}
	id := xroad.ServiceID{Provider: in.target.Service.Provider, Code: code}
	s := p.g.service(id.Provider.Subsystem, code)
	known, ok := in.trust.view.Service(id)
	if s == nil || !ok || known.Type != "OPENAPI" {
		return "", nil, refused(xroad.InternalError)
	}
	doc, name, err := p.file(ctx, s, known)
	if err == nil && len(doc) > maxDescription {
		err = openapi.ErrDocument
	}
	if err == nil {
		doc, err = openapi.Rewrite(doc, "", name)
	}
	if err != nil {
		p.g.log.Warn("exchange: a description can't be given", "service", id.String(), "err", err)
		return "", nil, refused(xroad.InternalError)
	}
	typ := "application/yaml"
	if len(doc) > 0 && doc[0] == '{' {
		typ = "application/json"
	}
	return typ, doc, nil
}

// file is the description that the configuration names, or the one that the
// directory has.
func (p *provider) file(ctx context.Context, s *service, known *snapshot.Service) (doc []byte, name string, err error) {
	if s.config.OpenAPI != "" {
		doc, err = os.ReadFile(s.config.OpenAPI)
		return doc, s.config.OpenAPI, err
	}
	if p.g.directory == nil || known.Description == "" {
		return nil, "", openapi.ErrDocument
	}
	doc, err = p.g.directory.Description(ctx, known.Description)
	if len(doc) > 0 && doc[0] == '{' {
		name = "x.json"
	}
	return doc, name, err
}
