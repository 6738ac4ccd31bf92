package xroad

import (
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	service := ServiceID{ClientID{"MA", "GOV", "INTERIOR", "CIVIL"}, "births"}
	for _, c := range []struct {
		uri, path, query, upstream string
		service                    ServiceID
	}{
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births", upstream: "/base"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births/", path: "/", upstream: "/base/"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births/v1/acts/42", path: "/v1/acts/42", upstream: "/base/v1/acts/42"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births?x=1;y=2&z=%2F", query: "x=1;y=2&z=%2F", upstream: "/base?x=1;y=2&z=%2F"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births?", upstream: "/base?"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births//a/../%2e%2e/%2F?a=?/", path: "//a/../%2e%2e/%2F", query: "a=?/", upstream: "/base//a/../%2e%2e/%2F?a=?/"},
		{uri: "http://gateway:8080/r1/MA/GOV/INTERIOR/CIVIL/births/x?y", path: "/x", query: "y", upstream: "/base/x?y"},
		{uri: "HTTPS://gateway/r1/MA/GOV/INTERIOR/CIVIL/births", upstream: "/base"},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/BAR%2FSERVICE/x", path: "/x", upstream: "/base/x", service: ServiceID{service.Provider, "BAR/SERVICE"}},
		{uri: "/r1/MA/GOV/INTERIOR/CIVIL/births/\u00e9", path: "/\u00e9", upstream: "/base/\u00e9"},
	} {
		got, err := ParseTarget(c.uri)
		if c.service.Code == "" {
			c.service = service
		}
		if err != nil || got.Service != c.service || got.ServicePath != c.path || got.Query != c.query {
			t.Errorf("%q = %+v, %v", c.uri, got, err)
			continue
		}
		if u := got.Upstream("/base"); u != c.upstream {
			t.Errorf("%q goes to %q, want %q", c.uri, u, c.upstream)
		}
		if !strings.HasSuffix(c.uri, got.Raw()) || !strings.HasPrefix(got.Raw(), "/r1/") {
			t.Errorf("%q raw %q", c.uri, got.Raw())
		}
	}
}

func TestUpstreamJoint(t *testing.T) {
	for _, c := range []struct{ base, path, want string }{
		{"", "", "/"}, {"", "/x", "/x"}, {"/", "/x", "/x"}, {"/", "", "/"}, {"/b/", "/x", "/b/x"}, {"/b", "/x", "/b/x"},
		{"/b/", "//x", "/b//x"}, {"/b", "", "/b"}, {"/b/", "", "/b/"},
	} {
		if got := (Target{ServicePath: c.path}).Upstream(c.base); got != c.want {
			t.Errorf("%q + %q = %q, want %q", c.base, c.path, got, c.want)
		}
	}
}

func TestTargetRefused(t *testing.T) {
	for uri, code := range map[string]Code{
		"": InvalidProtocolVersion, "/": InvalidProtocolVersion, "*": InvalidProtocolVersion, "/r2/MA/GOV/M/S/x": InvalidProtocolVersion,
		"/%721/MA/GOV/M/S/x": InvalidProtocolVersion, "//r1/MA/GOV/M/S/x": InvalidProtocolVersion, "http://h": InvalidProtocolVersion,
		"/r1": InvalidRequest, "/r1/": InvalidRequest, "/r1/MA/GOV/M/S": InvalidRequest, "/r1/MA/GOV/M//x": InvalidRequest,
		"/r1//MA/GOV/M/S/x": InvalidRequest, "/r1/MA%2FGOV%2FM%2FS%2Fx": InvalidRequest, "/r1/MA/GOV/M/S/?x": InvalidRequest,
		"/r1/MA/GOV/M/S/x\r\nHost: evil": InvalidRequest, "/r1/MA/GOV/M/S/x y": InvalidRequest, "/r1/MA/GOV/M/S/x\x00": InvalidRequest,
		"/r1/MA/GOV/M/S/x#f": InvalidRequest, "/r1/MA/GOV/M/%c0%ae/x": InvalidRequest, "/r1/MA/GOV/M/%00/x": InvalidRequest,
		"/r1/MA/GOV/M/S/x/" + strings.Repeat("a", MaxTarget): InvalidRequest,
	} {
		_, err := ParseTarget(uri)
		e, ok := err.(*Error)
		if !ok || e.Type != (Type{AtConsumer, code}) || e.Type.Status() != 500 {
			t.Errorf("%.60q: %v, want %v", uri, err, code)
		}
	}
}

func TestClassify(t *testing.T) {
	for uri, want := range map[string]Root{
		"/listClients": RootListClients, "/listClients?xRoadInstance=AA": RootListClients, "/verificationconf": RootVerification,
		"/r1/x": RootMessage, "/r1": RootMessage, "http://h/r1/x": RootMessage, "/r1/../listClients": RootMessage,
		"/listClients/": RootNone, "/x": RootNone, "": RootNone, "/r10/x": RootNone, "//listClients": RootNone,
	} {
		if got := Classify(uri); got != want {
			t.Errorf("%q = %v, want %v", uri, got, want)
		}
	}
}

func TestQueryParam(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"serviceCode=x", "x"}, {"SERVICECODE=x", "x"}, {"a=b&servicecode=a%20b+c", "a b c"}, {"serviceCode=a;b=c", "a;b=c"},
		{"serviceCode=a&serviceCode=b", "b"}, {"serviceCode", ""}, {"service%43ode=x", "x"}, {"serviceCode=%zz", ""}, {"", ""},
	} {
		if got, _ := QueryParam(c.query, "serviceCode", true); got != c.want {
			t.Errorf("%q = %q, want %q", c.query, got, c.want)
		}
	}
	if _, found := QueryParam("XROADINSTANCE=a", "xRoadInstance", false); found {
		t.Error("the case of the name does not count")
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("/r1/MA/GOV/INTERIOR/CIVIL/births/v1/acts/42?x=1;y=2")
	f.Add("http://h/r1/MA/GOV/A%2FB/S/x//..")
	f.Fuzz(func(t *testing.T, uri string) {
		Classify(uri)
		QueryParam(RawQuery(uri), "serviceCode", true)
		got, err := ParseTarget(uri)
		if err != nil {
			return
		}
		if !strings.HasSuffix(uri, got.Raw()) {
			t.Fatalf("%q became %q", uri, got.Raw())
		}
		again, err := ParseTarget("/r1/" + got.Service.Encoded() + got.ServicePath)
		if err != nil || again.Service != got.Service || again.ServicePath != got.ServicePath {
			t.Fatalf("%q: %+v %v", uri, again, err)
		}
		if strings.ContainsAny(got.Upstream("/b"), " \r\n\x00") {
			t.Fatalf("%q goes to %q", uri, got.Upstream("/b"))
		}
	})
}
