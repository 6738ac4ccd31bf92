package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"diwan/country"
	"diwan/internal/exchange"
	"diwan/internal/gazette"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/web"
)

// exchangeFile describes the exchange in a country pack.
const exchangeFile = "exchange.json"

// Purposes of the exchange's keys.
const (
	authorityPurpose = "exchange-authority"
	directoryPurpose = "exchange-directory"
	stampPurpose     = "exchange-stamp"
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
	// Gateways are machines of others, whose clocks a demonstration can't turn.
	if a.Exchange, err = exchange.New(ctx, a.DB, a.Audit, gov.SystemClock{}, s, exchange.Keys{Authority: authority, Directory: directory}, a.log); err != nil {
		return err
	}
	a.Exchange.LawNamed = a.lawNamed
	return nil
}

// exchangeSector names people in the exchange.
const exchangeSector = "exchange"

// personReference is how a person is named in the exchange.
func (a *App) personReference(ctx context.Context, account string) (string, error) {
	return a.Accounts.Reference(ctx, account, exchangeSector)
}

// lawNamed names a text of the law: as the gazette has it, or the country's own statute
// where the gazette does not hold it.
func (a *App) lawNamed(ctx context.Context, work gov.Address) (gov.Text, bool) {
	if a.Gazette != nil {
		name, err := (&gazette.Law{Gazette: a.Gazette, Site: a.Site}).Named(ctx, work)
		if err != nil {
			a.log.ErrorContext(ctx, "naming a text of law", "work", work, "error", err)
		}
		if name != nil {
			return name, true
		}
	}
	if work == a.Country.Law.Act {
		return a.Country.Law.Title, false
	}
	return nil, false
}

// registerExchangePages mounts what anybody may see.
func (a *App) registerExchangePages(mux *http.ServeMux) {
	if a.Exchange != nil {
		(&exchange.Pages{Exchange: a.Exchange, Site: a.Site}).Register(mux)
	}
}

// registerExchangeSpace mounts what a person sees of exchanges about them.
func (a *App) registerExchangeSpace(mux *http.ServeMux, sessions *identity.Sessions) {
	if a.Casework != nil {
		a.registerCaseworkSpace(mux, sessions)
	} else {
		mux.HandleFunc("GET /me/{$}", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/"+string(web.LangOf(r))+"/me/data", http.StatusSeeOther)
		})
	}
	if a.Exchange != nil {
		(&exchange.Mine{Exchange: a.Exchange, Site: a.Site, Actor: identity.Actor, Reference: a.personReference}).Register(mux)
	}
}

// registerExchangeOffice mounts the desk of those who keep the exchange.
func (a *App) registerExchangeOffice(mux *http.ServeMux) {
	if a.Exchange != nil {
		(&exchange.Desk{Exchange: a.Exchange, Site: a.Site, Actor: identity.Actor, Base: a.baseURL}).Register(mux)
	}
}

// baseURL is the address under which this installation is reached.
func (a *App) baseURL(r *http.Request) string {
	if a.Config.PublicURL != "" {
		return a.Config.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// registerExchangeAPI mounts what gateways call.
func (a *App) registerExchangeAPI(mux *http.ServeMux) {
	if a.Exchange != nil {
		(&exchange.API{Exchange: a.Exchange, Site: a.Site}).Register(mux)
	}
}
