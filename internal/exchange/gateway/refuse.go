package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strings"

	"diwan/internal/exchange/backend"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// Refusals that the protocol has no type for travel under names of our own and
// reach the client as the nearest type with a message that says more.
const (
	typeRateLimited    = "rate_limited"
	typeVolume         = "volume_limited"
	typeUnderWay       = "request_under_way"
	typeOutcomeUnknown = "outcome_unknown"
	typeOutcomeGone    = "outcome_not_kept"
	typeIDReused       = "id_reused"
	typeFilter         = "answer_not_as_agreed"
	typeForged         = "client_of_another_member"
)

// meaning is what a type that a peer reports means to the client.
type meaning struct {
	code    xroad.Code
	message string
}

var meanings = map[string]meaning{
	typeRateLimited:    {xroad.AccessDenied, "the contract's limit of calls is reached; try again in a minute"},
	typeVolume:         {xroad.AccessDenied, "the contract's limit of volume is reached for today"},
	typeUnderWay:       {xroad.ServiceFailed, "a request with this X-Road-Id is under way"},
	typeOutcomeUnknown: {xroad.ServiceFailed, "a request with this X-Road-Id was passed to the service and its outcome is not known; it is not passed again"},
	typeOutcomeGone:    {xroad.ServiceFailed, "a request with this X-Road-Id was answered by the service; the answer was too large to be kept, and the request is not passed again"},
	typeIDReused:       {xroad.InvalidRequest, "this X-Road-Id belongs to another request of this client"},
	typeFilter:         {xroad.ServiceFailed, "the service's answer can't be brought down to what the contract allows"},
	typeForged:         {xroad.InvalidClientIdentifier, "the client does not belong to the member that asks"},

	link.TypeExpired:      {xroad.InvalidRequest, "the clocks of the two gateways differ too much, or the message was on its way for too long"},
	link.TypeReplayed:     {xroad.InvalidRequest, "the message was received before"},
	link.TypeInconsistent: {xroad.InvalidRequest, "the bytes that arrived are not those that were signed"},
	link.TypeOverloaded:   {xroad.NetworkError, "the provider's gateway has too much under way"},
	link.TypeShuttingDown: {xroad.NetworkError, "the provider's gateway is shutting down"},
}

// messages say the types of the protocol to people. What goes wrong at the other
// side is told by type alone, so that nothing unsigned reaches the client.
var messages = map[xroad.Code]string{
	xroad.InternalError:           "the gateway failed",
	xroad.NetworkError:            "the other side can't be reached",
	xroad.AccessDenied:            "no contract in force allows this request",
	xroad.UnknownService:          "there is no such service",
	xroad.ServiceFailed:           "the service did not answer as it should",
	xroad.ServiceDisabled:         "the service is closed for now",
	xroad.ServiceType:             "the service is not a REST service",
	xroad.InvalidClientIdentifier: "the client is not one that may ask",
	xroad.InvalidRequest:          "the request can't be read",
	xroad.InvalidSignatureValue:   "a signature does not hold",
	xroad.InconsistentResponse:    "the answer does not fit the request",
	xroad.SSLAuthenticationFailed: "the client did not show a certificate that is registered for it",
	xroad.LoggingFailed:           "the message log can't be written, so nothing is exchanged",
	xroad.UnknownMember:           "the directory does not know this member",
	xroad.MaintenanceMode:         "the gateway is closed for maintenance",
	xroad.GlobalConfOutdated:      "the directory that the gateway holds is too old",
	xroad.IOError:                 "the body of a message broke off",
}

// refused is what a provider says over the link.
func refused(c xroad.Code) *link.Error {
	return &link.Error{Type: strings.TrimPrefix(xroad.Type{Side: xroad.AtProvider, Code: c}.String(), "server.serverproxy.")}
}

func refusedAs(name string) *link.Error { return &link.Error{Type: name} }

// here makes an error found by this gateway as the consumer's.
func here(c xroad.Code, message string) *xroad.Error {
	if message == "" {
		message = messages[c]
	}
	return xroad.NewError(xroad.AtConsumer, c, message)
}

// reported makes an error of what a peer's gateway reported.
func reported(name string) *xroad.Error {
	if m, ok := meanings[name]; ok {
		return xroad.NewError(xroad.AtProvider, m.code, m.message)
	}
	t, ok := xroad.ParseType("server.serverproxy." + name)
	if !ok {
		t = xroad.Type{Side: xroad.AtProvider, Code: xroad.InternalError}
	}
	return xroad.NewError(xroad.AtProvider, t.Code, messages[t.Code])
}

// failed makes the client's error of an outcome of the link.
func failed(err error) *xroad.Error {
	var remote *link.Error
	var own *xroad.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &remote) && remote.Remote:
		return reported(remote.Type)
	case errors.Is(err, errTooLong):
		return here(xroad.InvalidRequest, errTooLong.Error())
	case errors.Is(err, errBrokeOff):
		return here(xroad.IOError, errBrokeOff.Error())
	case errors.Is(err, link.ErrJournal):
		return here(xroad.LoggingFailed, "")
	case errors.Is(err, link.ErrSignature):
		return here(xroad.InvalidSignatureValue, "the answer's signature does not hold")
	case errors.Is(err, link.ErrBind), errors.Is(err, link.ErrDigest), errors.Is(err, xroad.ErrHead):
		return here(xroad.InconsistentResponse, "")
	case errors.Is(err, link.ErrUnknownKey), errors.Is(err, link.ErrWrongMember):
		return here(xroad.UnknownMember, "the answer was not signed by the member that was asked")
	case errors.Is(err, link.ErrExpired), errors.Is(err, link.ErrFuture):
		return here(xroad.InconsistentResponse, "the answer is of another time: the clocks differ too much")
	case errors.Is(err, link.ErrOverloaded):
		return here(xroad.NetworkError, "too much is under way to this member")
	case errors.Is(err, link.ErrNotSent):
		return here(xroad.NetworkError, "the provider's gateway can't be reached; nothing was sent")
	case errors.Is(err, link.ErrLost):
		return here(xroad.NetworkError, "the connection was lost; whether the request was carried out is not known")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return here(xroad.NetworkError, "the provider's gateway did not answer in time; whether the request was carried out is not known")
	}
	return here(xroad.NetworkError, "")
}

// serviceError is what a provider says of a service that did not answer.
func serviceError(err error) *link.Error {
	if errors.Is(err, backend.ErrConnect) {
		return refused(xroad.NetworkError)
	}
	return refused(xroad.ServiceFailed)
}

// uuid writes sixteen bytes as a UUID.
func uuid(b [16]byte) string {
	var out [36]byte
	hex.Encode(out[0:], b[0:4])
	hex.Encode(out[9:], b[4:6])
	hex.Encode(out[14:], b[6:8])
	hex.Encode(out[19:], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid(b)
}
