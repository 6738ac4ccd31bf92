package xroad

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
)

// ErrorHeader carries the error type; an answer without it comes from the
// provider's service.
const ErrorHeader = "X-Road-Error"

// maxMessage bounds what of an error's message leaves the gateway.
const maxMessage = 2048

// Body writes the error for a client that accepts the given values of Accept:
// the content type and the body. The header X-Road-Error and the status are
// e.Type's Text and Status.
func (e *Error) Body(accept []string, style Style) (contentType string, body []byte) {
	message := truncate(strings.ToValidUTF8(e.Message, "?"), maxMessage)
	typ := e.Type.Text(style)
	if xmlType := acceptsXML(accept); xmlType != "" {
		var b bytes.Buffer
		b.WriteString("<error>")
		element(&b, "type", typ)
		element(&b, "message", message)
		element(&b, "detail", e.Detail)
		b.WriteString("</error>")
		return xmlType + ";charset=utf-8", b.Bytes()
	}
	// Encode cannot fail: three strings.
	body, _ = json.Marshal(struct {
		Type    string `json:"type"`
		Message string `json:"message"`
		Detail  string `json:"detail"`
	}{typ, message, e.Detail})
	return "application/json", body
}

// acceptsXML finds the first of the XML types among the members of Accept. The
// match is exact and q is ignored, as clients of the exchange expect: */* and
// application/xhtml+xml get JSON.
func acceptsXML(accept []string) string {
	for _, m := range acceptMembers(accept) {
		switch m {
		case "text/xml", "application/xml":
			return m
		case "text/*":
			return "text/xml"
		}
	}
	return ""
}

// AcceptsJSON tells whether a member of Accept is exactly application/json: what
// listClients asks before it answers in JSON.
func AcceptsJSON(accept []string) bool {
	for _, m := range acceptMembers(accept) {
		if m == "application/json" {
			return true
		}
	}
	return false
}

// acceptMembers lists the types without their parameters, a bounded number.
func acceptMembers(accept []string) []string {
	var out []string
	for _, v := range accept {
		for m := range strings.SplitSeq(v, ",") {
			if len(out) == 64 {
				return out
			}
			m, _, _ = strings.Cut(m, ";")
			out = append(out, strings.Trim(m, " \t"))
		}
	}
	return out
}

func element(b *bytes.Buffer, name, text string) {
	b.WriteString("<" + name + ">")
	// A bytes.Buffer does not fail; characters that XML can't hold become U+FFFD.
	_ = xml.EscapeText(b, []byte(text))
	b.WriteString("</" + name + ">")
}

// truncate cuts at a whole character.
func truncate(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}

// ReadErrorBody reads the JSON body of a gateway's error, for clients and tests
// of the exchange. Types that are not known become InternalError at the
// provider.
func ReadErrorBody(body []byte) (*Error, error) {
	var v struct{ Type, Message, Detail string }
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	t, ok := ParseType(v.Type)
	if !ok {
		t = Type{AtProvider, InternalError}
	}
	return &Error{Type: t, Message: truncate(v.Message, maxMessage), Detail: truncate(v.Detail, 64)}, nil
}
