package xroad

import (
	"bytes"
	"encoding/json"
)

// The reserved codes of metaservices: answered by the gateway, without an access
// right, by GET.
const (
	ListMethods    = "listMethods"
	AllowedMethods = "allowedMethods"
	GetOpenAPI     = "getOpenAPI"
)

// IsMetaservice tells whether a service code is reserved.
func IsMetaservice(code string) bool {
	return code == ListMethods || code == AllowedMethods || code == GetOpenAPI
}

// Endpoint is a method and a path with wildcards; see ParseGlob.
type Endpoint struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Method is one service in the answer of listMethods.
type Method struct {
	Service   ServiceID
	OpenAPI   bool // described by OpenAPI; else plain REST
	Endpoints []Endpoint
}

// MethodsJSON is the body of listMethods and allowedMethods, as in Annex B of
// PR-MREST: its Annex A contradicts it, and clients follow B. Metaservices are
// never listed.
func MethodsJSON(list []Method) ([]byte, error) {
	type service struct {
		MemberClass   string     `json:"member_class"`
		MemberCode    string     `json:"member_code"`
		ObjectType    string     `json:"object_type"`
		ServiceCode   string     `json:"service_code"`
		ServiceType   string     `json:"service_type"`
		SubsystemCode string     `json:"subsystem_code,omitempty"`
		Instance      string     `json:"xroad_instance"`
		Endpoints     []Endpoint `json:"endpoint_list"`
	}
	out := struct {
		Service []service `json:"service"`
	}{[]service{}}
	for _, m := range list {
		if IsMetaservice(m.Service.Code) {
			continue
		}
		p := m.Service.Provider
		s := service{p.Class, p.Member, "SERVICE", m.Service.Code, "REST", p.Subsystem, p.Instance, m.Endpoints}
		if m.OpenAPI {
			s.ServiceType = "OPENAPI"
		}
		if s.Endpoints == nil {
			s.Endpoints = []Endpoint{}
		}
		out.Service = append(out.Service, s)
	}
	return json.Marshal(out)
}

// Client is one member or subsystem in the answer of listClients.
type Client struct {
	ID            ClientID
	Name          string // of the member
	SubsystemName string
}

// ClientsBody is the answer of listClients for a client that accepts the given
// values of Accept: JSON if one of them is exactly application/json, else the
// XML of PR-META, Annex A.
func ClientsBody(list []Client, accept []string) (contentType string, body []byte, err error) {
	if AcceptsJSON(accept) {
		body, err = clientsJSON(list)
		return "application/json", body, err
	}
	return "text/xml;charset=utf-8", clientsXML(list), nil
}

func objectType(c ClientID) string {
	if c.Subsystem == "" {
		return "MEMBER"
	}
	return "SUBSYSTEM"
}

func clientsJSON(list []Client) ([]byte, error) {
	type id struct {
		MemberClass   string `json:"member_class"`
		MemberCode    string `json:"member_code"`
		ObjectType    string `json:"object_type"`
		SubsystemCode string `json:"subsystem_code,omitempty"`
		Instance      string `json:"xroad_instance"`
	}
	type member struct {
		ID            id     `json:"id"`
		Name          string `json:"name"`
		SubsystemName string `json:"subsystem_name,omitempty"`
	}
	out := struct {
		Member []member `json:"member"`
	}{make([]member, len(list))}
	for i, c := range list {
		out.Member[i] = member{id{c.ID.Class, c.ID.Member, objectType(c.ID), c.ID.Subsystem, c.ID.Instance}, c.Name, c.SubsystemName}
	}
	return json.Marshal(out)
}

func clientsXML(list []Client) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" +
		`<ns2:clientList xmlns:ns1="http://x-road.eu/xsd/identifiers" xmlns:ns2="http://x-road.eu/xsd/xroad.xsd">`)
	for _, c := range list {
		b.WriteString(`<ns2:member><ns2:id ns1:objectType="` + objectType(c.ID) + `">`)
		element(&b, "ns1:xRoadInstance", c.ID.Instance)
		element(&b, "ns1:memberClass", c.ID.Class)
		element(&b, "ns1:memberCode", c.ID.Member)
		if c.ID.Subsystem != "" {
			element(&b, "ns1:subsystemCode", c.ID.Subsystem)
		}
		b.WriteString("</ns2:id>")
		element(&b, "ns2:name", c.Name)
		if c.SubsystemName != "" {
			element(&b, "ns2:subsystemName", c.SubsystemName)
		}
		b.WriteString("</ns2:member>")
	}
	b.WriteString("</ns2:clientList>")
	return b.Bytes()
}

// OpenAPIService returns the service that a call of getOpenAPI asks for, from its
// raw query. The name of the parameter is read in any case.
func OpenAPIService(rawQuery string) (string, error) {
	code, _ := QueryParam(rawQuery, "serviceCode", true)
	if code == "" {
		return "", NewError(AtProvider, InvalidRequest, "the parameter serviceCode is missing")
	}
	if len(code) > MaxPart {
		return "", NewError(AtProvider, InvalidRequest, "the parameter serviceCode is too long")
	}
	return code, nil
}
