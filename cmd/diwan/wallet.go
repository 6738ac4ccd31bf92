package main

import (
	"context"
	"encoding/json"
	"fmt"

	"diwan/internal/app"
)

var walletCommand = command{"wallet", "receive|list|show|present|…", "keep official documents and show them", nil}

const walletHelp = `keep official documents and show them; a whole wallet on the command line

  diwan wallet receive LINK [--tx-code CODE] [--copies N] [--format sd-jwt|mdoc]
                                        take the documents of an offer (openid-credential-offer://…)
  diwan wallet receive https://ISSUER --configuration ID
                                        ask an issuer without an offer: prints an address at which to consent
  diwan wallet register https://ISSUER [--device ID]
                                        for issuers that take attested wallets only: shows the name of a key, which
                                        you register in your space there; then, with the id that you get, done
  diwan wallet fetch ID                 ask again for a document that the issuer had still to sign
  diwan wallet list                     the documents
  diwan wallet show ID                  what a document says, how it stands, whom it was shown to
  diwan wallet present LINK [--claims a,b] [--document ID] [--yes]
                                        say who asks for what (openid4vp://…), and show it after a yes
  diwan wallet decline LINK             tell who asks that you do not want to
  diwan wallet remove ID                forget a document with its keys
  diwan wallet export FILE              backup, encrypted with a passphrase of 12 characters or more
  diwan wallet import FILE              take over what a backup has and this wallet does not

The wallet lies in a folder (--data). Each document is sealed with its keys in a file of its own, to the
identity in DIR/wallet.identity: only your user may read it, and kept elsewhere (--identity) it is worth more.
Whoever has both can show your documents. Passphrases are read from --passphrase-file, or from a line of
standard input. ID may be shortened. With --anchor, issuers must stand on the list of issuers that somebody
under that certificate signed; without, documents say that nobody vouched for their issuer.
The status is 1 when something was refused or went wrong.`

// walletFlags are those of every part.
type walletFlags struct {
	flags
	data, identity, lang *string
	json                 *bool
	anchors              listed
}

func newWalletFlags(env environment) *walletFlags {
	c := walletCommand
	c.about = walletHelp
	fs := flagSet(env, c)
	f := &walletFlags{flags: fs, data: fs.String("data", "diwan-wallet", "folder of the wallet"), identity: fs.String("identity", "", "file with the identity that seals the wallet; default: in the folder"),
		lang: fs.String("lang", "en", "language of what issuers call things"), json: fs.Bool("json", false, "print JSON")}
	fs.Var(&f.anchors, "anchor", "file with certificates that you believe; may be given several times")
	return f
}

// open reads the arguments, of which there must be so many, and opens the wallet.
func (f *walletFlags) open(args []string, n int, wants string) (*app.Wallet, []string, error) {
	rest, err := parse(f.flags, args)
	if err != nil {
		return nil, nil, err
	}
	if len(rest) != n {
		return nil, nil, fmt.Errorf("%w: it takes %s", errUsage, wants)
	}
	w, err := app.OpenWallet(*f.data, *f.identity, f.anchors)
	return w, rest, err
}

func wallet(ctx context.Context, env environment, args []string) error {
	part, own := choose(args, map[string]runner{"receive": walletReceive, "register": walletRegister, "fetch": walletFetch, "list": walletList, "show": walletShow, "present": walletPresent, "decline": walletDecline,
		"remove": walletRemove, "export": walletExport, "import": walletImport})
	if part != nil {
		return part(ctx, env, own)
	}
	if _, err := parse(newWalletFlags(env).flags, args); err != nil {
		return err
	}
	return fmt.Errorf("%w: say what to do, such as `wallet list`", errUsage)
}

func walletList(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	w, _, err := f.open(args, 0, "no argument")
	if err != nil {
		return err
	}
	all, err := w.Store.List()
	if err != nil {
		return err
	}
	shown := []*app.WalletDocument{}
	for _, d := range all {
		s, err := app.ShowDocument(ctx, w, d, *f.lang, false, false)
		if err != nil {
			return err
		}
		shown = append(shown, s)
	}
	if *f.json {
		return printJSON(env, shown)
	}
	sayDocuments(env.stdout, shown)
	return nil
}

func walletShow(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	offline := f.Bool("offline", false, "do not ask the issuer's list how the document stands")
	w, rest, err := f.open(args, 1, "the id of a document")
	if err != nil {
		return err
	}
	d, err := w.Store.Get(rest[0])
	if err != nil {
		return err
	}
	s, err := app.ShowDocument(ctx, w, d, *f.lang, !*offline, true)
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(env, s)
	}
	sayDocument(env.stdout, s)
	return nil
}

func walletRemove(_ context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	w, rest, err := f.open(args, 1, "the id of a document")
	if err != nil {
		return err
	}
	d, err := w.Store.Get(rest[0])
	if err != nil {
		return err
	}
	if err := w.Store.Remove(d.ID); err != nil {
		return err
	}
	if *f.json {
		return printJSON(env, map[string]string{"removed": d.ID})
	}
	fmt.Fprintf(env.stdout, "%s is removed.\n", d.ID)
	return nil
}

func printJSON(env environment, v any) error {
	e := json.NewEncoder(env.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
