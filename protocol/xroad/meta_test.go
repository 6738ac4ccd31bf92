package xroad

import (
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
)

func TestMethodsJSON(t *testing.T) {
	p := ClientID{"INSTANCE", "CLASS2", "MEMBER2", "SUBSYSTEM2"}
	got, err := MethodsJSON([]Method{
		{ServiceID{p, "payloadgen"}, true, []Endpoint{{"GET", "/pet/*"}}}, {ServiceID{p, "listMethods"}, false, nil}, {ServiceID{p, "kore"}, false, nil},
	})
	want := `{"service":[{"member_class":"CLASS2","member_code":"MEMBER2","object_type":"SERVICE","service_code":"payloadgen","service_type":"OPENAPI",` +
		`"subsystem_code":"SUBSYSTEM2","xroad_instance":"INSTANCE","endpoint_list":[{"method":"GET","path":"/pet/*"}]},` +
		`{"member_class":"CLASS2","member_code":"MEMBER2","object_type":"SERVICE","service_code":"kore","service_type":"REST",` +
		`"subsystem_code":"SUBSYSTEM2","xroad_instance":"INSTANCE","endpoint_list":[]}]}`
	if err != nil || string(got) != want {
		t.Errorf("%s\nwant\n%s %v", got, want, err)
	}
	if got, _ := MethodsJSON(nil); string(got) != `{"service":[]}` {
		t.Errorf("none: %s", got)
	}
}

func TestClientsBody(t *testing.T) {
	list := []Client{
		{ID: ClientID{"AA", "GOV", "TS1", ""}, Name: "TS1 <Owner>"}, {ClientID{"AA", "ENT", "C1", "sub"}, "Client One", "Client One Sub"},
	}
	typ, body, err := ClientsBody(list, []string{"text/html, application/json;q=0.1"})
	want := `{"member":[{"id":{"member_class":"GOV","member_code":"TS1","object_type":"MEMBER","xroad_instance":"AA"},"name":"TS1 \u003cOwner\u003e"},` +
		`{"id":{"member_class":"ENT","member_code":"C1","object_type":"SUBSYSTEM","subsystem_code":"sub","xroad_instance":"AA"},"name":"Client One","subsystem_name":"Client One Sub"}]}`
	if err != nil || typ != "application/json" || string(body) != want {
		t.Errorf("%s %s\nwant\n%s %v", typ, body, want, err)
	}
	typ, body, err = ClientsBody(list, []string{"*/*"})
	if err != nil || typ != "text/xml;charset=utf-8" {
		t.Fatal(typ, err)
	}
	var got struct {
		XMLName xml.Name `xml:"http://x-road.eu/xsd/xroad.xsd clientList"`
		Member  []struct {
			ID struct {
				Type      string `xml:"http://x-road.eu/xsd/identifiers objectType,attr"`
				Instance  string `xml:"http://x-road.eu/xsd/identifiers xRoadInstance"`
				Subsystem string `xml:"http://x-road.eu/xsd/identifiers subsystemCode"`
			} `xml:"http://x-road.eu/xsd/xroad.xsd id"`
			Name          string `xml:"http://x-road.eu/xsd/xroad.xsd name"`
			SubsystemName string `xml:"http://x-road.eu/xsd/xroad.xsd subsystemName"`
		} `xml:"http://x-road.eu/xsd/xroad.xsd member"`
	}
	if err := xml.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Member) != 2 || got.Member[0].ID.Type != "MEMBER" || got.Member[0].Name != "TS1 <Owner>" || got.Member[1].ID.Subsystem != "sub" ||
		got.Member[1].SubsystemName != "Client One Sub" || got.Member[1].ID.Instance != "AA" {
		t.Errorf("%+v\n%s", got, body)
	}
}

func TestOpenAPIService(t *testing.T) {
	if code, err := OpenAPIService("SeRviceCode=births"); err != nil || code != "births" {
		t.Error(code, err)
	}
	for _, q := range []string{"", "serviceCode=", "x=1", "serviceCode=" + strings.Repeat("a", 300)} {
		if _, err := OpenAPIService(q); err == nil || err.(*Error).Type != (Type{AtProvider, InvalidRequest}) {
			t.Errorf("%.20q: %v", q, err)
		}
	}
}

func TestMonitoring(t *testing.T) {
	size := int64(0)
	m := Monitoring{DataTs: 1, ServerType: MonitorProducer, RequestInTs: 10, ResponseOutTs: 20, RequestSize: &size}
	m.SetClient(ClientID{"MA", "GOV", "M", "S"})
	m.SetService(ServiceID{ClientID{"MA", "GOV", "N", "T"}, "svc"})
	m.SetMetaservice()
	m.SetError(&Error{Type{AtProvider, AccessDenied}, strings.Repeat("\u00e9", 3000), ""}, Style78)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{
		"monitoringDataTs": 1.0, "securityServerType": "Producer", "requestInTs": 10.0, "requestOutTs": 10.0, "responseInTs": 20.0, "responseOutTs": 20.0,
		"clientXRoadInstance": "MA", "clientSubsystemCode": "S", "serviceMemberCode": "N", "serviceCode": "svc", "serviceType": "REST",
		"requestSize": 0.0, "succeeded": false, "statusCode": 500.0, "faultCode": "server.serverproxy.access_denied",
	} {
		if got[k] != want {
			t.Errorf("%s = %v, want %v", k, got[k], want)
		}
	}
	if _, there := got["messageUserId"]; there {
		t.Error("the user is recorded unasked")
	}
	if len(m.FaultString) > 2048 {
		t.Errorf("a fault of %d bytes", len(m.FaultString))
	}
}
