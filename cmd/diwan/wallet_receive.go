package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"diwan/internal/app"
)

func walletReceive(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	code := f.String("tx-code", "", "the code that came by another way than the offer")
	copies := f.Int("copies", 0, "how many copies; each verifier is shown another one (default a few)")
	form := f.String("format", "", "sd-jwt or mdoc; default: all that is offered")
	plain := f.Bool("plain", false, "do not encrypt requests and answers beyond the connection")
	var configurations listed
	f.Var(&configurations, "configuration", "which document of the issuer; may be given several times")
	w, rest, err := f.open(args, 1, "the link of an offer, or the address of an issuer")
	if err != nil {
		return err
	}
	format, ok := app.WalletFormat(*form)
	if !ok || *copies < 0 {
		return fmt.Errorf("%w: --format is sd-jwt or mdoc, --copies a number", errUsage)
	}
	o := app.WalletReceive{TxCode: *code, Copies: *copies, Configurations: configurations, Format: format, Plain: *plain, Browse: func(_ context.Context, address string) error {
		_, err := fmt.Fprintf(env.stderr, "Open this address in your browser and consent there:\n%s\n", address)
		return err
	}}
	take := w.Receive
	if !app.IsOffer(rest[0]) {
		take = w.Request
	}
	got, err := take(ctx, rest[0], o)
	// What came before something went wrong is kept, and must be said.
	return errors.Join(f.sayReceived(ctx, env, w, got), err)
}

func (f *walletFlags) sayReceived(ctx context.Context, env environment, w *app.Wallet, got []*app.WalletHeld) error {
	shown := []*app.WalletDocument{}
	for _, d := range got {
		s, err := app.ShowDocument(ctx, w, d, *f.lang, false, false)
		if err != nil {
			return err
		}
		shown = append(shown, s)
	}
	switch {
	case *f.json:
		return printJSON(env, shown)
	case len(shown) > 0:
		sayDocuments(env.stdout, shown)
	}
	return nil
}

func walletFetch(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	wait := f.Bool("wait", false, "ask again until the document is there")
	w, rest, err := f.open(args, 1, "the id of a document")
	if err != nil {
		return err
	}
	d, err := w.Store.Get(rest[0])
	if err != nil {
		return err
	}
	for {
		err := w.Fetch(ctx, d)
		if !*wait || !errors.Is(err, app.ErrWalletWaiting) {
			if err != nil {
				return err
			}
			return f.sayReceived(ctx, env, w, []*app.WalletHeld{d})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(time.Until(d.Pending.NotBefore), time.Second)):
		}
	}
}
