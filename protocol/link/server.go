package link

import (
	"context"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ServerConfig is what a provider's side needs.
type ServerConfig struct {
	Config
	// TLS holds the certificate and says whom to trust. It must ask for client
	// certificates.
	TLS     *tls.Config
	Handler Handler
	Replay  Replay
}

// Server accepts connections of consumers and answers their requests.
type Server struct {
	cfg ServerConfig
	tls *tls.Config
	// ctx is the root of every request's.
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	conns     map[*serverConn]struct{}
	peers     map[string]int
	listeners map[net.Listener]struct{}
	closed    bool
	hands     map[string]int // handshakes under way, by address
	handsSum  int
}

// NewServer checks the configuration and returns a server.
func NewServer(cfg ServerConfig) (*Server, error) {
	if cfg.Signer == nil || cfg.Keys == nil || cfg.Journal == nil || cfg.Handler == nil || cfg.Replay == nil || cfg.Peer == nil || cfg.TLS == nil {
		return nil, errors.New("link: a server needs Signer, Keys, Journal, Handler, Replay, Peer and TLS")
	}
	if a := cfg.TLS.ClientAuth; a != tls.RequireAnyClientCert && a != tls.RequireAndVerifyClientCert {
		return nil, errors.New("link: a server must require client certificates")
	}
	cfg.prepare()
	s := &Server{cfg: cfg, tls: linkTLS(cfg.TLS), hands: map[string]int{},
		conns: map[*serverConn]struct{}{}, peers: map[string]int{}, listeners: map[net.Listener]struct{}{}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s, nil
}

// Serve accepts connections until the listener or the server is closed; then it
// returns ErrClosed.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.listeners[l] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	for {
		nc, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			var ne net.Error
			switch {
			case closed || errors.Is(err, net.ErrClosed):
				return ErrClosed
			case errors.As(err, &ne):
				// Such as too many open files: it passes, and accepting must
				// not end with it.
				time.Sleep(10 * time.Millisecond)
				continue
			}
			return fmt.Errorf("link: accepting a connection: %w", err)
		}
		from, ok := s.admit(nc)
		if !ok {
			nc.Close()
			continue
		}
		go s.welcome(nc, from)
	}
}

// admit counts a connection that has proved nothing yet. Whoever opens many and
// says nothing keeps out those of its own address first.
func (s *Server) admit(nc net.Conn) (from string, ok bool) {
	from = nc.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handsSum >= s.cfg.Limits.Handshakes || s.hands[from] >= max(1, s.cfg.Limits.Handshakes/4) {
		return from, false
	}
	s.handsSum++
	s.hands[from]++
	return from, true
}

func (s *Server) admitted(from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handsSum--
	if s.hands[from]--; s.hands[from] == 0 {
		delete(s.hands, from)
	}
}

// welcome makes the handshake and runs the connection.
func (s *Server) welcome(nc net.Conn, from string) {
	c, err := s.handshake(nc)
	s.admitted(from)
	if err != nil {
		nc.Close()
		s.cfg.Log.Info("link: connection refused", "remote", nc.RemoteAddr().String(), "err", err)
		return
	}
	err = c.readLoop(c.group, c.other)
	c.fail(err)
	c.ended()
	s.mu.Lock()
	delete(s.conns, c)
	if s.peers[c.peer]--; s.peers[c.peer] == 0 {
		delete(s.peers, c.peer)
	}
	s.mu.Unlock()
	s.cfg.Log.Debug("link: connection ended", "peer", c.peer, "err", err)
}

func (s *Server) handshake(nc net.Conn) (*serverConn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.Limits.HandshakeTime)
	defer cancel()
	tc := tls.Server(nc, s.tls)
	if err := tc.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	state := tc.ConnectionState()
	if state.NegotiatedProtocol != Protocol {
		return nil, fmt.Errorf("%w: protocol %q", ErrProtocol, state.NegotiatedProtocol)
	}
	peer, err := s.cfg.Peer(state)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if len(s.conns) >= s.cfg.Limits.Connections || s.peers[peer] >= s.cfg.Limits.PeerConnections {
		return nil, ErrOverloaded
	}
	c := &serverConn{conn: newConn(s.ctx, tc, &s.cfg.Config, peer), s: s, streams: map[uint32]*exchange{}}
	c.sealer = newSealer(c.conn, true, &c.open)
	s.conns[c] = struct{}{}
	s.peers[peer]++
	return c, nil
}

// Disconnect ends the connections of members that no longer may have one, as
// after a revocation, and returns their number.
func (s *Server) Disconnect(gone func(member string) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.conns {
		if gone(c.peer) {
			c.fail(fmt.Errorf("%w: the member may not connect any more", ErrClosed))
			n++
		}
	}
	return n
}

// Shutdown stops accepting, tells the peers to go elsewhere, waits until what
// is under way has been answered or ctx ends, and closes.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopListening()
	s.mu.Lock()
	for c := range s.conns {
		c.tell(Frame{Type: FrameGoAway})
	}
	s.mu.Unlock()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for s.busy() {
		select {
		case <-ctx.Done():
			s.Close()
			return ctx.Err()
		case <-t.C:
		}
	}
	return s.Close()
}

func (s *Server) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.mu.Lock()
		n := len(c.streams)
		c.mu.Unlock()
		if n > 0 {
			return true
		}
	}
	return false
}

func (s *Server) stopListening() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
}

// Close ends everything at once.
func (s *Server) Close() error {
	s.stopListening()
	s.cancel(ErrClosed)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.fail(ErrClosed)
	}
	return nil
}

// digestsMatch compares the bytes of a message with its envelope.
func digestsMatch(f *Frame) error {
	if Digest(sha512.Sum512(f.Head)) != *f.Envelope.HeadDigest() {
		return fmt.Errorf("%w: head", ErrDigest)
	}
	if !f.Envelope.Streamed() && Digest(sha512.Sum512(f.Body)) != *f.Envelope.BodyDigest() {
		return fmt.Errorf("%w: body", ErrDigest)
	}
	return nil
}

// verify checks everything about a message that needs no memory of earlier
// ones: form, clock, key, bytes, signature.
func (c *conn) verify(f *Frame, now time.Time) (*PublicKey, error) {
	if err := f.Envelope.Check(); err != nil {
		return nil, err
	}
	if err := f.Envelope.CheckTime(now); err != nil {
		return nil, err
	}
	key, err := c.sender(f.Envelope, now)
	if err != nil {
		return nil, err
	}
	if err := digestsMatch(f); err != nil {
		return nil, err
	}
	return key, c.cfg.Verifier.Verify(f.Envelope, f.Signature, key)
}

func windowOf(f *Frame) int { return int(binary.BigEndian.Uint32(f.Payload)) }
