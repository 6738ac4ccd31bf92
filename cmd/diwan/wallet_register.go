package main

import (
	"context"
	"fmt"
	"time"
)

// walletRegister makes an issuer know this wallet: first the name of its key is shown, for
// the person to register it, then the issuer vouches for it.
func walletRegister(ctx context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	id := f.String("device", "", "identifier that the issuer gave the wallet when its key was registered")
	w, rest, err := f.open(args, 1, "the address of an issuer")
	if err != nil {
		return err
	}
	key, err := w.DeviceKey(rest[0])
	if err != nil {
		return err
	}
	said := map[string]string{"issuer": rest[0], "key": key}
	if *id != "" {
		ends, err := w.Attested(ctx, rest[0], *id)
		if err != nil {
			return err
		}
		said["device"], said["attested_until"] = *id, ends.UTC().Format(time.RFC3339)
	}
	if *f.json {
		return printJSON(env, said)
	}
	if *id == "" {
		fmt.Fprintf(env.stdout, "%s\nRegister this name of a key in your space at the issuer (My devices), then give the identifier with --device.\n", key)
		return nil
	}
	fmt.Fprintf(env.stdout, "registered; the issuer vouches for this wallet until %s, and again when it is asked\n", said["attested_until"])
	return nil
}
