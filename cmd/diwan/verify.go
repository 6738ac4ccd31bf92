package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"diwan/internal/app"
)

var verifyCommand = command{"verify", "FILE|TEXT|-", "check an official document: a photo, a PDF, or its text", nil}

const verifyHelp = `check an official document: a photo of a printed page, a PDF, or its text

  FILE is a picture (PNG, JPEG), a PDF (poppler-utils needed), or a text; TEXT is the code itself (DW1:…, or
  the address that a phone reads); - is standard input.
  With --kit nothing is asked over a network: the file holds who may issue what and which documents were
  revoked, as of the day it was made. A portal offers it at /verify/kit; --from gets it there, and with both
  the file serves when the portal can't be reached, which is said.
  Without --anchor the certificate in the kit is believed, and its fingerprint printed to be compared with
  the one that the state publishes.
  The answer is ACCEPTED (status 0), REFUSED or UNKNOWN (status 1), with reasons and the age of what it
  rests on. A paper proves nothing about who brings it: compare it with the person.`

func verify(ctx context.Context, env environment, args []string) error {
	c := verifyCommand
	c.about = verifyHelp
	fs := flagSet(env, c)
	var o app.VerifyOptions
	fs.StringVar(&o.Kit, "kit", "", "file to check with, without a network")
	fs.StringVar(&o.From, "from", "", "address of a portal to get that file from")
	fs.Var((*listed)(&o.Anchors), "anchor", "file with certificates that you believe; may be given several times")
	asJSON := fs.Bool("json", false, "print JSON")
	lang := fs.String("lang", "en", "language of what documents call things")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: it takes one file or text, or - for standard input", errUsage)
	}
	content, err := documentIn(env, rest[0])
	if err != nil {
		return err
	}
	v, err := app.VerifyDocument(ctx, o, content)
	if errors.Is(err, app.ErrNoKit) {
		return fmt.Errorf("%w: %v", errUsage, err)
	}
	if err != nil {
		return err
	}
	if err := sayVerified(env, v, *asJSON, *lang); err != nil {
		return err
	}
	if v.State != app.VerifiedAccepted {
		return app.ErrSaid
	}
	return nil
}

// maxDocument bounds what is read.
const maxDocument = 32 << 20

// documentIn reads what is to be checked.
func documentIn(env environment, name string) ([]byte, error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && app.DocumentText(name) {
		return []byte(name), nil
	}
	in, err := open(env, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = fmt.Errorf("%s is larger than %d MB", name, maxDocument>>20)
	}
	return b, err
}

func sayVerified(env environment, v *app.Verified, asJSON bool, lang string) error {
	if asJSON {
		e := json.NewEncoder(env.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		return e.Encode(v)
	}
	if err := v.Write(env.stdout, lang); err != nil {
		return err
	}
	if v.Failed != "" {
		fmt.Fprintf(env.stdout, "the lists could not be renewed, those of the file were used: %s\n", v.Failed)
	}
	for _, a := range v.Anchors {
		fmt.Fprintf(env.stdout, "believed because of the certificate %s\n", a)
	}
	return nil
}
