package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The example of the specification, with its own key and message.
func TestSign(t *testing.T) {
	got, err := Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
	if _, err := Sign("whsec_!", "1", time.Unix(0, 0), nil); err == nil {
		t.Error("a secret that is no base64 signs")
	}
}

func TestSend(t *testing.T) {
	status := http.StatusNoContent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want, _ := Sign("whsec_AAAA", r.Header.Get("webhook-id"), time.Unix(7, 0), body)
		if r.Header.Get("webhook-timestamp") != "7" || r.Header.Get("webhook-signature") != want {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
	}))
	defer s.Close()
	send := func(c *Client) error {
		return c.Send(context.Background(), s.URL, "whsec_AAAA", "msg_1", time.Unix(7, 0), []byte("{}"))
	}
	if err := send(New(nil, true)); err != nil {
		t.Error(err)
	}
	status = http.StatusGone
	if err := send(New(nil, true)); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	status = http.StatusFound
	if err := send(New(nil, true)); err == nil {
		t.Error("a redirect was followed")
	}
	if err := send(New(nil, false)); !errors.Is(err, ErrAddress) {
		t.Error("plain http on this machine:", err)
	}
	strict := New(nil, false)
	if err := strict.Send(context.Background(), "https://127.0.0.1:1/", "whsec_AAAA", "1", time.Unix(7, 0), nil); !errors.Is(err, ErrAddress) {
		t.Error("this machine was reached:", err)
	}
}
