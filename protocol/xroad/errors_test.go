package xroad

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
)

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		typ       Type
		new, old  string
		wantState int
	}{
		{Type{AtProvider, AccessDenied}, "server.serverproxy.access_denied", "Server.ServerProxy.AccessDenied", 500},
		{Type{AtConsumer, NetworkError}, "server.clientproxy.network_error", "Server.ClientProxy.NetworkError", 500},
		{Type{AtProvider, UnknownService}, "server.serverproxy.unknown_service", "Server.ServerProxy.UnknownService", 500},
		{Type{AtConsumer, SSLAuthenticationFailed}, "server.clientproxy.ssl_authentication_failed", "Server.ClientProxy.SslAuthenticationFailed", 500},
		{Type{AtConsumer, GlobalConfOutdated}, "server.clientproxy.global_conf_outdated", "Server.ClientProxy.OutdatedGlobalConf", 500},
		{Type{AtProvider, IOError}, "server.serverproxy.io_error", "Server.ServerProxy.IOError", 500},
		{Type{ByClient, BadRequest}, "client.bad_request", "Client.BadRequest", 400},
		{Type{200, 200}, "server.clientproxy.internal_error", "Server.ClientProxy.InternalError", 500},
	} {
		if c.typ.String() != c.new || c.typ.Text(StylePascal) != c.old || c.typ.Status() != c.wantState {
			t.Errorf("%v: %s, %s, %d", c.typ, c.typ, c.typ.Text(StylePascal), c.typ.Status())
		}
	}
	for s := range sides {
		for c := range codes {
			for _, style := range []Style{Style78, StylePascal} {
				if got, ok := ParseType(Type{s, c}.Text(style)); !ok || got != (Type{s, c}) {
					t.Errorf("%s does not come back", Type{s, c}.Text(style))
				}
			}
		}
	}
	if _, ok := ParseType("server.serverproxy.teapot"); ok {
		t.Error("an unknown type is known")
	}
}

func TestErrorBody(t *testing.T) {
	e := &Error{Type{AtProvider, AccessDenied}, "no <right> & \"none\"", "018cbcae-537e-421b-b6f6-2608dc97bd90"}
	for _, c := range []struct {
		accept []string
		want   string
	}{
		{nil, "application/json"}, {[]string{"*/*"}, "application/json"}, {[]string{"application/xhtml+xml"}, "application/json"},
		{[]string{"text/xml"}, "text/xml;charset=utf-8"}, {[]string{"application/json, application/xml;q=0.1"}, "application/xml;charset=utf-8"},
		{[]string{"application/json", "text/*;q=0"}, "text/xml;charset=utf-8"}, {[]string{"text/*, application/xml"}, "text/xml;charset=utf-8"},
		{[]string{"TEXT/XML"}, "application/json"}, {[]string{strings.Repeat("a,", 1<<16) + "text/xml"}, "application/json"},
	} {
		typ, body := e.Body(c.accept, Style78)
		if typ != c.want {
			t.Errorf("%.40q: %s, want %s", c.accept, typ, c.want)
		}
		var got struct {
			XMLName xml.Name `xml:"error" json:"-"`
			Type    string   `xml:"type" json:"type"`
			Message string   `xml:"message" json:"message"`
			Detail  string   `xml:"detail" json:"detail"`
		}
		var err error
		if strings.Contains(typ, "json") {
			err = json.Unmarshal(body, &got)
		} else {
			err = xml.Unmarshal(body, &got)
		}
		if err != nil || got.Type != "server.serverproxy.access_denied" || got.Message != e.Message || got.Detail != e.Detail {
			t.Errorf("%s: %+v %v", body, got, err)
		}
	}
	_, body := e.Body(nil, StylePascal)
	if back, err := ReadErrorBody(body); err != nil || *back != *e {
		t.Errorf("%s: %+v %v", body, back, err)
	}
	long := &Error{Message: strings.Repeat("\u00e9", 4000) + "\xff"}
	if _, b := long.Body(nil, Style78); len(b) > maxMessage+200 || !json.Valid(b) {
		t.Errorf("%d bytes", len(b))
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"type":"Server.ServerProxy.NetworkError","message":"m","detail":"d"}`), "text/xml")
	f.Fuzz(func(t *testing.T, body []byte, accept string) {
		e, err := ReadErrorBody(body)
		if err != nil {
			return
		}
		typ, out := e.Body([]string{accept}, Style78)
		if strings.Contains(typ, "xml") {
			if err := xml.Unmarshal(out, new(struct{ XMLName xml.Name })); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
		} else if !json.Valid(out) {
			t.Fatalf("%q", out)
		}
	})
}
