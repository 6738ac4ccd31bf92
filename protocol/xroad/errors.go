package xroad

import (
	"strings"
)

// Code is the last part of an error type.
type Code uint8

// The codes in use. Their spelling on the wire is in codeNames.
const (
	InternalError Code = iota
	NetworkError
	AccessDenied
	UnknownService
	DatabaseError
	ServiceFailed
	ServiceDisabled
	ServiceType
	ServiceMissingURL
	InvalidClientIdentifier
	InvalidRequest
	InvalidProtocolVersion
	MissingRest
	MissingSignature
	InvalidSignatureValue
	InconsistentResponse
	SSLAuthenticationFailed
	LoggingFailed
	TimestampingFailed
	UnknownMember
	MaintenanceMode
	GlobalConfOutdated
	IOError
	BadRequest
	codes
)

var codeNames = [codes]string{
	"internal_error", "network_error", "access_denied", "unknown_service", "database_error", "service_failed",
	"service_disabled", "service_type", "service_missing_url", "invalid_client_identifier", "invalid_request",
	"invalid_protocol_version", "missing_rest", "missing_signature", "invalid_signature_value",
	"inconsistent_response", "ssl_authentication_failed", "logging_failed", "timestamping_failed",
	"unknown_member", "maintenance_mode", "global_conf_outdated", "io_error", "bad_request",
}

// Side tells which side an error type blames.
type Side uint8

const (
	AtConsumer Side = iota // the consumer's gateway: server.clientproxy
	AtProvider             // the provider's gateway: server.serverproxy
	ByClient               // the client's message itself: client
	sides
)

var sideNames = [sides]string{"server.clientproxy", "server.serverproxy", "client"}
var sidePascal = [sides]string{"Server.ClientProxy", "Server.ServerProxy", "Client"}

// Style is the spelling of error types: an instance of the exchange chooses one.
type Style uint8

const (
	Style78     Style = iota // lower snake case, as of release 7.8
	StylePascal              // PascalCase, releases before and the protocol's text
)

// Type is an error type, such as server.serverproxy.access_denied.
type Type struct {
	Side Side
	Code Code
}

// String is the spelling of 7.8.
func (t Type) String() string { return t.Text(Style78) }

// Text spells the type in a style.
func (t Type) Text(style Style) string {
	if t.Side >= sides || t.Code >= codes {
		return Type{}.Text(style)
	}
	if style != StylePascal {
		return sideNames[t.Side] + "." + codeNames[t.Code]
	}
	return sidePascal[t.Side] + "." + pascal(t.Code)
}

// pascal maps snake_case to PascalCase. Two names were spelt otherwise before
// 7.8, and clients of that time look for those.
func pascal(c Code) string {
	switch c {
	case GlobalConfOutdated:
		return "OutdatedGlobalConf"
	case IOError:
		return "IOError"
	}
	var b strings.Builder
	for word := range strings.SplitSeq(codeNames[c], "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

var byName = func() map[string]Type {
	m := make(map[string]Type, 2*int(sides)*int(codes))
	for s := range sides {
		for c := range codes {
			t := Type{s, c}
			m[t.Text(Style78)], m[t.Text(StylePascal)] = t, t
		}
	}
	return m
}()

// ParseType reads a type in either style; ok is false for one that is unknown.
func ParseType(s string) (t Type, ok bool) {
	t, ok = byName[s]
	return t, ok
}

// Status is the HTTP status of an answer with this error: 500 for everything
// that a gateway found, 400 for what a client's message caused.
func (t Type) Status() int {
	if t.Side == ByClient {
		return 400
	}
	return 500
}

// Error is an error of the exchange itself, as opposed to an answer of the
// provider's service, whatever that answer's status.
type Error struct {
	Type    Type
	Message string
	Detail  string // a UUID to quote to support; the gateway fills it in
}

func (e *Error) Error() string { return e.Type.String() + ": " + e.Message }

// NewError makes an error found at a side.
func NewError(side Side, code Code, message string) *Error {
	return &Error{Type: Type{side, code}, Message: message}
}

func consumerError(code Code, message string) *Error { return NewError(AtConsumer, code, message) }
