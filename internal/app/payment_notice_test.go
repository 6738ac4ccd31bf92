package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"diwan/internal/app/apptest"
	"diwan/internal/casework"
)

// Whatever is wrong with a payment notice, its sender is told so as every program is:
// in application/problem+json, with a code that does not change.
func TestPaymentNoticeProblems(t *testing.T) {
	a := apptest.Open(t)
	k := anybody(t, a)
	const address = "/payments/till/notifications"
	check := func(name, method, path string, body io.Reader, status int, code string, header ...string) {
		t.Helper()
		w := k.do(method, path, body, header...)
		var p struct {
			Status              int
			Code, Title, Detail string
		}
		err := json.Unmarshal(w.Body.Bytes(), &p)
		if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" || err != nil || p.Status != status || p.Code != code || p.Detail == "" {
			t.Errorf("%s: %d %s %q, want %d %s (%v)", name, w.Code, w.Header().Get("Content-Type"), w.Body, status, code, err)
		}
	}
	check("nobody takes payments here", http.MethodPost, address, strings.NewReader(`{}`), 404, "pay.no_provider")
	hook := apptest.Till(a)
	a.Casework.Payments = hook
	sealed := func(body string) []string {
		ts, seal := hook.Seal([]byte(body))
		return []string{casework.PaymentTimeHeader, ts, casework.PaymentSealHeader, seal}
	}
	unknown := `{"id":"1","order":"none","case":"x","amount":1,"currency":"MAD","status":"paid","reference":""}`
	late := sealed(`{}`)
	late[1] = "1000000000"
	for name, c := range map[string]struct {
		body   string
		header []string
		status int
		code   string
	}{
		"without a seal": {unknown, nil, 403, "pay.forged"},
		"forged":         {unknown, sealed("other"), 403, "pay.forged"},
		"another time":   {`{}`, late, 403, "pay.forged"},
		"no JSON":        {"no", sealed("no"), 400, "pay.notice"},
		"empty":          {"", sealed(""), 400, "pay.notice"},
		"more after it":  {unknown + "{}", sealed(unknown + "{}"), 400, "pay.notice"},
		"a zero byte":    {strings.Replace(unknown, "none", `\u0000`, 1), sealed(strings.Replace(unknown, "none", `\u0000`, 1)), 400, "pay.notice"},
		"no such order":  {unknown, sealed(unknown), 404, "pay.not_found"},
		"too large":      {strings.Repeat(" ", 1<<20), nil, 413, "pay.notice"},
		"cross-site":     {unknown, []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_origin"},
	} {
		check(name, http.MethodPost, address, strings.NewReader(c.body), c.status, c.code, c.header...)
	}
	check("another provider", http.MethodPost, "/payments/other/notifications", strings.NewReader(unknown), 404, "pay.no_provider", sealed(unknown)...)
	check("another language", http.MethodPost, address, strings.NewReader(unknown), 403, "pay.forged", "Accept-Language", "fr", "Accept", "text/html")
	check("the line broke", http.MethodPost, address, iotest.ErrReader(io.ErrUnexpectedEOF), 400, "pay.notice")
	check("another method", http.MethodGet, address, nil, 405, "api.method")
	check("no such address", http.MethodPost, "/payments/till", strings.NewReader(unknown), 404, "page.not_found")
}
