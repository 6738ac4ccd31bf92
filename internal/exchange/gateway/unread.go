package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// unread writes into the log what net/http refuses before a handler sees it: a head
// that is too long, does not end, has two lengths or holds what no header may. Such
// bytes are no request, so that no error of the exchange can answer them; but whoever
// sends them tries something, and the log must show where from.
type unread struct {
	log   *slog.Logger
	conns sync.Map // of net.Conn to *headsOf
}

// headsOf counts the requests of a connection: those of which something came, and those
// that a handler got.
type headsOf struct{ came, handled atomic.Int64 }

type headsKey struct{}

// opened is an http.Server's ConnContext.
func (u *unread) opened(ctx context.Context, c net.Conn) context.Context {
	b := new(headsOf)
	u.conns.Store(c, b)
	return context.WithValue(ctx, headsKey{}, b)
}

// turned is an http.Server's ConnState.
func (u *unread) turned(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateActive:
		if b, ok := u.conns.Load(c); ok {
			b.(*headsOf).came.Add(1)
		}
	case http.StateClosed, http.StateHijacked:
		b, ok := u.conns.LoadAndDelete(c)
		if ok && b.(*headsOf).came.Load() > b.(*headsOf).handled.Load() {
			u.log.Info("exchange: closed a connection that sent something else than a request", "remote", c.RemoteAddr().String())
		}
	}
}

// counting tells which requests were read.
func (u *unread) counting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := r.Context().Value(headsKey{}).(*headsOf); ok {
			b.handled.Add(1)
		}
		h.ServeHTTP(w, r)
	})
}
