package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"diwan/internal/app"
)

var exchangeCommand = command{"exchange", "verify|prove", "check the log of the exchange, or prove one exchange", nil}

const exchangeHelp = `check the log of the exchange, or prove one exchange; all without a network

  diwan exchange verify --data DIR                  check a gateway's whole journal against its transparency log
  diwan exchange verify --data DIR --witness DIR2   and hold the log to what another gateway has seen of it
  diwan exchange verify --data DIR --request-id ID  make and check the proof of one exchange
  diwan exchange prove --data DIR --request-id ID --out FILE
                                                    write that proof to a file that stands for itself
  diwan exchange verify FILE --trust KEYS           check such a file with the directory's keys and nothing else;
                                                    KEYS may be the zip that a gateway answers at /verificationconf

DIR is a gateway's data folder or its configuration file; the gateway may be running. The status is 1 when
something was altered, removed, added or rolled back, and the numbers of the records are printed.`

// exchangeFlags are the flags of both parts.
type exchangeFlags struct {
	flags
	data, trust, request, message *string
	record                        *uint64
	witnesses                     *int
	stamp, json                   *bool
}

func newExchangeFlags(env environment) *exchangeFlags {
	c := exchangeCommand
	c.about = exchangeHelp
	fs := flagSet(env, c)
	return &exchangeFlags{fs, fs.String("data", "", "a gateway's data folder, or its configuration file"), fs.String("trust", "", "file with the directory's keys that you believe; default: those of the data folder"),
		fs.String("request-id", "", "the exchange with this request id"), fs.String("id", "", "the exchange with this X-Road-Id"), fs.Uint64("record", 0, "the exchange of the record with this number"),
		fs.Int("witnesses", 0, "of one exchange: how many witnesses must have cosigned"), fs.Bool("stamped", false, "of one exchange: a time stamp must be there"), fs.Bool("json", false, "print JSON")}
}

func (f *exchangeFlags) which() app.ProofOf {
	return app.ProofOf{Record: *f.record, Request: *f.request, Message: *f.message}
}

func (f *exchangeFlags) proofTrust() app.ProofTrust {
	return app.ProofTrust{File: *f.trust, Witnesses: *f.witnesses, NeedStamp: *f.stamp}
}

func exchangeMain(ctx context.Context, env environment, args []string) error {
	if part, own := choose(args, map[string]runner{"verify": exchangeVerify, "prove": exchangeProve}); part != nil {
		return part(ctx, env, own)
	}
	if _, err := parse(newExchangeFlags(env).flags, args); err != nil {
		return err
	}
	return fmt.Errorf("%w: it goes `exchange verify` or `exchange prove`", errUsage)
}

// errNotProven makes the status 1 after everything was said.
var errNotProven = errors.New("not everything holds; see the lines that begin with bad")

func exchangeVerify(ctx context.Context, env environment, args []string) error {
	f := newExchangeFlags(env)
	var witness, checkpoints listed
	f.Var(&witness, "witness", "data folder of another gateway that witnesses this log; may be given several times")
	f.Var(&checkpoints, "checkpoint", "file with a checkpoint of the log that was seen before; may be given several times")
	rest, err := parse(f.flags, args)
	switch {
	case err != nil:
		return err
	case len(rest) == 1:
		r, err := app.CheckProof(rest[0], *f.data, f.proofTrust())
		return sayProof(env.stdout, r, err, *f.json)
	case len(rest) > 1 || *f.data == "":
		return fmt.Errorf("%w: say with --data which gateway, or give the file of a proof", errUsage)
	case f.which() != app.ProofOf{}:
		r, err := app.ProveExchange(ctx, *f.data, f.which(), f.proofTrust(), "")
		return sayProof(env.stdout, r, err, *f.json)
	}
	w, err := app.VerifyJournal(ctx, *f.data, *f.trust, witness, checkpoints)
	if w == nil {
		return err
	}
	if *f.json {
		err = errors.Join(json.NewEncoder(env.stdout).Encode(w), err)
	} else {
		sayWhole(env.stdout, w)
	}
	if err == nil && !w.OK {
		err = errNotProven
	}
	return err
}

func exchangeProve(ctx context.Context, env environment, args []string) error {
	f := newExchangeFlags(env)
	out := f.String("out", "", "file to write")
	rest, err := parse(f.flags, args)
	if err == nil {
		err = noArgs(rest)
	}
	switch {
	case err != nil:
		return err
	case *f.data == "" || *out == "" || f.which() == app.ProofOf{}:
		return fmt.Errorf("%w: give --data, one of --request-id, --id and --record, and --out", errUsage)
	}
	r, err := app.ProveExchange(ctx, *f.data, f.which(), f.proofTrust(), *out)
	if err := sayProof(env.stdout, r, err, *f.json); err != nil {
		return err
	}
	if !*f.json {
		fmt.Fprintf(env.stdout, "\nThe proof is in %s. Check it anywhere: diwan exchange verify %s --trust KEYS\n", *out, *out)
	}
	return nil
}

// stepWords say in plain words what each check shows.
var stepWords = map[string]string{
	"format": "the proof is in a form that is known", "directory": "the directory in it is signed by a key that you believe",
	"members": "what it says of the members is what that directory says", "record": "the record can be read and was signed by the member named",
	"entry": "the record's fingerprint was computed", "log_signature": "the log's checkpoint is signed by the log of the member",
	"inclusion": "the record is in the log at that checkpoint", "witnesses": "other members have cosigned the checkpoint",
	"time_stamp": "a time-stamp authority has stamped the checkpoint", "parties": "request and answer are signed by the members that they name",
	"pair": "the answer is one to exactly this request", "contract": "a contract signed by both sides allowed it then",
	"body": "the whole of a body sent in pieces is signed by its sender",
}

var outcomeWords = map[string]string{"passed": "good", "failed": "bad", "skipped": "bad", "absent": "none"}

func sayProof(w io.Writer, r *app.ProofCheck, err error, asJSON bool) error {
	if err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(w).Encode(r)
	} else {
		writeProof(w, r)
	}
	if err == nil && !r.Proven {
		err = errNotProven
	}
	return err
}

func writeProof(w io.Writer, r *app.ProofCheck) {
	for _, s := range r.Steps {
		of := s.Of
		if of == "" {
			of = "exchange"
		}
		fmt.Fprintf(w, "%-5s %-9s %s\n", outcomeWords[string(s.Outcome)], of, stepWords[s.Code])
		for _, f := range s.Facts {
			if f.Value != "" {
				fmt.Fprintf(w, "                  %s: %s\n", f.Name, f.Value)
			}
		}
		if s.Detail != "" {
			fmt.Fprintf(w, "                  %s\n", s.Detail)
		}
	}
	fmt.Fprintln(w)
	if !r.Proven {
		fmt.Fprintf(w, "NOT PROVEN: the exchange %s\n", r.Request)
		return
	}
	fmt.Fprintf(w, "PROVEN: %s, by its system %s, asked %s for %s %s at %s", r.Asks, r.Client, r.Service, r.Method, r.Path, r.AskedAt.Format(time.RFC3339Nano))
	switch {
	case r.Status != 0:
		fmt.Fprintf(w, ", and %s answered %d at %s.\n", r.Answers, r.Status, r.Answered.Format(time.RFC3339Nano))
	case r.Refused != "":
		fmt.Fprintf(w, "; it was refused: %s.\n", r.Refused)
	default:
		fmt.Fprintf(w, "; no answer is in the journal.\n")
	}
	fmt.Fprintf(w, "Request and answer are unaltered since. Request id %s.\n", r.Request)
}

// faultWords say in plain words what was found.
var faultWords = map[string]string{
	"missing": "missing", "altered": "altered", "unreadable": "not readable as a record", "signature": "signature or head does not hold", "rewritten": "rewritten",
	"not_in_log": "not what the transparency log holds under this number", "log_missing": "the transparency log is missing", "set_back": "the transparency log was rolled back",
	"forked": "the transparency log shows two histories", "unsigned": "a checkpoint is not the log's own", "torn": "the transparency log lacks entries",
}

var remarkWords = map[string]string{
	"no_log": "there is no transparency log yet: only the journal itself was checked", "unlogged": "records that the log does not hold yet", "unchecked": "signatures of keys that the directory names no more, not checked",
	"torn": "the last write was cut short by a crash, at record", "not_cosigned": "entries of the log that no witness has cosigned yet", "no_witness": "the directory names no other member as a witness",
	"not_stamped": "no time stamp that is believed yet", "dropped": "records removed when their time was over, as the journal itself says", "other_journal": "entries of this member's other nodes, not checked here",
}

func sayWhole(out io.Writer, w *app.WholeCheck) {
	fmt.Fprintf(out, "Journal of %s, node %s: records %d to %d, %d of them messages; read in %.1f s.\n", w.Member, w.Node, w.First, w.Last, w.Messages, w.Took)
	if w.LogSize > 0 {
		fmt.Fprintf(out, "Transparency log: %d entries, this journal up to record %d.\n", w.LogSize, w.Logged)
		for _, m := range []struct {
			what string
			size int64
			at   time.Time
			who  string
		}{{"signed", w.Signed.Size, w.Signed.At, ""}, {"cosigned", w.Cosigned.Size, w.Cosigned.At, w.Cosigned.Who}, {"time-stamped", w.Stamped.Size, w.Stamped.At, w.Stamped.Who}} {
			if m.size > 0 {
				fmt.Fprintf(out, "  %s up to entry %d at %s%s\n", m.what, m.size, m.at.UTC().Format(time.RFC3339), by(m.who))
			}
		}
		if w.Seen > 0 {
			fmt.Fprintf(out, "  held against %d checkpoints known from elsewhere\n", w.Seen)
		}
	}
	for _, r := range w.Remarks {
		if r.N > 0 {
			fmt.Fprintf(out, "note  %s: %d\n", remarkWords[r.Code], r.N)
		} else {
			fmt.Fprintf(out, "note  %s\n", remarkWords[r.Code])
		}
	}
	for _, f := range w.Faults {
		where := ""
		switch {
		case f.Seq > 0 && f.Last > f.Seq:
			where = fmt.Sprintf("records %d to %d: ", f.Seq, f.Last)
		case f.Seq > 0:
			where = fmt.Sprintf("record %d: ", f.Seq)
		}
		words := faultWords[f.Kind]
		if words == "" {
			words = f.Kind
		}
		fmt.Fprintf(out, "bad   %s%s (%s)", where, words, f.Detail)
		if f.Request != "" {
			fmt.Fprintf(out, "; it was of the exchange %s", f.Request)
		}
		fmt.Fprintln(out)
	}
	if w.More > 0 {
		fmt.Fprintf(out, "bad   and %d more\n", w.More)
	}
	if w.OK {
		fmt.Fprintln(out, "Nothing was altered, removed, added or rolled back.")
	}
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

func gatewayViewer(ctx context.Context, env environment, args []string) error {
	fs, config := gatewayFlags(env)
	officer := fs.String("officer", "", "who is to look into the log; the name is recorded there")
	rest, err := parse(fs, args)
	if err == nil {
		err = noArgs(rest)
	}
	switch {
	case err != nil:
		return err
	case *officer == "":
		return fmt.Errorf("%w: say with --officer who is to look into the log", errUsage)
	}
	address, code, err := app.GatewayViewer(ctx, *config, *officer)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s\nOpen %s on this machine and give this code. It is good once, for %d minutes.\n", code, address, int(app.ViewerCodeLife.Minutes()))
	return nil
}
