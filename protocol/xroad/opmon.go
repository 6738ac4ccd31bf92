package xroad

import "strings"

// Monitoring is one record of operational monitoring (PR-OPMON): what passed one
// gateway, without its content. Times are Unix milliseconds unless said
// otherwise, sizes bytes. A nil or empty field is left out.
type Monitoring struct {
	DataTs         int64  `json:"monitoringDataTs"` // seconds
	InternalIP     string `json:"securityServerInternalIp,omitempty"`
	ServerType     string `json:"securityServerType"` // MonitorClient or MonitorProducer
	RequestInTs    int64  `json:"requestInTs"`
	RequestOutTs   int64  `json:"requestOutTs,omitempty"`
	ResponseInTs   int64  `json:"responseInTs,omitempty"`
	ResponseOutTs  int64  `json:"responseOutTs"`
	ClientInstance string `json:"clientXRoadInstance,omitempty"`
	ClientClass    string `json:"clientMemberClass,omitempty"`
	ClientMember   string `json:"clientMemberCode,omitempty"`
	ClientSub      string `json:"clientSubsystemCode,omitempty"`
	ServiceInst    string `json:"serviceXRoadInstance,omitempty"`
	ServiceClass   string `json:"serviceMemberClass,omitempty"`
	ServiceMember  string `json:"serviceMemberCode,omitempty"`
	ServiceSub     string `json:"serviceSubsystemCode,omitempty"`
	ServiceCode    string `json:"serviceCode,omitempty"`
	ServiceVersion string `json:"serviceVersion,omitempty"`
	ClientServer   string `json:"clientSecurityServerAddress,omitempty"`
	ServiceServer  string `json:"serviceSecurityServerAddress,omitempty"`
	MessageID      string `json:"messageId,omitempty"`
	// MessageUserID is personal data: leave it empty unless the member decided
	// otherwise, and never export it.
	MessageUserID    string `json:"messageUserId,omitempty"`
	MessageIssue     string `json:"messageIssue,omitempty"`
	ProtocolVersion  string `json:"messageProtocolVersion,omitempty"`
	PartyClass       string `json:"representedPartyClass,omitempty"`
	PartyCode        string `json:"representedPartyCode,omitempty"`
	XRoadVersion     string `json:"xRoadVersion,omitempty"`
	RestMethod       string `json:"restMethod,omitempty"`
	RestPath         string `json:"restPath,omitempty"`
	ServiceType      string `json:"serviceType,omitempty"` // WSDL, REST or OPENAPI3, unlike in listMethods
	RequestSize      *int64 `json:"requestSize,omitempty"`
	ResponseSize     *int64 `json:"responseSize,omitempty"`
	RequestAttached  *int   `json:"requestAttachmentCount,omitempty"`
	ResponseAttached *int   `json:"responseAttachmentCount,omitempty"`
	RequestMimeSize  *int64 `json:"requestMimeSize,omitempty"`
	ResponseMimeSize *int64 `json:"responseMimeSize,omitempty"`
	Succeeded        bool   `json:"succeeded"`
	StatusCode       int    `json:"statusCode,omitempty"`
	FaultCode        string `json:"faultCode,omitempty"`
	FaultString      string `json:"faultString,omitempty"`
	RequestID        string `json:"xRequestId,omitempty"`
}

// Values of Monitoring.ServerType.
const (
	MonitorClient   = "Client"
	MonitorProducer = "Producer"
)

// Longest fault texts in a record, in characters as the database of the
// reference counts them; cutting at as many bytes keeps below.
const (
	maxFaultCode   = 255
	maxFaultString = 2048
)

// SetClient fills in who asked.
func (m *Monitoring) SetClient(c ClientID) {
	m.ClientInstance, m.ClientClass, m.ClientMember, m.ClientSub = c.Instance, c.Class, c.Member, c.Subsystem
}

// SetService fills in what was asked for.
func (m *Monitoring) SetService(s ServiceID) {
	p := s.Provider
	m.ServiceInst, m.ServiceClass, m.ServiceMember, m.ServiceSub = p.Instance, p.Class, p.Member, p.Subsystem
	m.ServiceCode = s.Code
}

// SetError marks the exchange as failed.
func (m *Monitoring) SetError(e *Error, style Style) {
	m.Succeeded = false
	m.StatusCode = e.Type.Status()
	m.FaultCode = truncate(e.Type.Text(style), maxFaultCode)
	m.FaultString = truncate(strings.ToValidUTF8(e.Message, "?"), maxFaultString)
}

// SetMetaservice marks an answer that the gateway gave itself: nothing was
// forwarded, so that both inner times equal the outer ones.
func (m *Monitoring) SetMetaservice() {
	m.RequestOutTs, m.ResponseInTs, m.ServiceType = m.RequestInTs, m.ResponseOutTs, "REST"
}
