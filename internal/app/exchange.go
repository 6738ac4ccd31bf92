package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"diwan/country"
	"diwan/internal/exchange"
)

// exchangeFile describes the exchange in a country pack.
const exchangeFile = "exchange.json"

// Purposes of the exchange's keys.
const (
	authorityPurpose = "exchange-authority"
	directoryPurpose = "exchange-directory"
)

// openExchange opens the directory of the exchange, if the country has one here.
func (a *App) openExchange(ctx context.Context) error {
	var s exchange.Settings
	switch err := country.Decode(a.pack.Files, exchangeFile, &s); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	authority, err := a.Keys.Signer(authorityPurpose)
	if err != nil {
		return fmt.Errorf("the exchange's authority: %w", err)
	}
	directory, err := a.Keys.Signer(directoryPurpose)
	if err != nil {
		return fmt.Errorf("the exchange's directory: %w", err)
	}
	a.Exchange, err = exchange.New(ctx, a.DB, a.Audit, a.clock, s, exchange.Keys{Authority: authority, Directory: directory}, a.log)
	return err
}

// registerExchangeAPI mounts what gateways call.
func (a *App) registerExchangeAPI(mux *http.ServeMux) {
	if a.Exchange != nil {
		(&exchange.API{Exchange: a.Exchange, Site: a.Site}).Register(mux)
	}
}
