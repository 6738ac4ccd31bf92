package wallet

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"diwan/internal/problem"
)

const codesPath = Root + "api/codes"

// Bounds of reading pictures: the application makes them small before it sends them.
const (
	maxPicture = 900 << 10
	codeTime   = 10 * time.Second
	codeWait   = 3 * time.Second
)

// Reader finds the texts of the QR codes in a picture (PNG or JPEG). It bounds what it
// decodes, and keeps nothing.
type Reader func(ctx context.Context, picture []byte) ([]string, error)

// codes answers POST /wallet/api/codes with the texts of the codes in a picture, for
// browsers that read none themselves. The picture is in memory while it is looked at, one
// at a time, and nowhere afterwards; neither it nor what it says is logged.
func (a *App) codes(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !slices.Contains([]string{"image/jpeg", "image/png"}, r.Header.Get("Content-Type")) {
		a.fail(w, r, problem.New(problem.Invalid, "wallet.picture"))
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPicture))
	if err != nil {
		a.fail(w, r, problem.New(problem.TooLarge, "wallet.picture"))
		return
	}
	wait := time.NewTimer(codeWait)
	defer wait.Stop()
	select {
	case a.looking <- struct{}{}:
		defer func() { <-a.looking }()
	case <-wait.C:
		a.fail(w, r, problem.New(problem.Unavailable, "wallet.picture_busy"))
		return
	case <-r.Context().Done():
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), codeTime)
	defer cancel()
	texts, err := a.Read(ctx, b)
	if err != nil { // what can't be read holds no code, and why is of no use to the person
		texts = nil
	}
	out, err := json.Marshal(map[string][]string{"texts": append([]string{}, texts...)})
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out) // the client went away
}
