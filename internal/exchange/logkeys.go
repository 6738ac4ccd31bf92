package exchange

import (
	"context"

	"diwan/internal/db"
	"diwan/internal/exchange/translog"
	"diwan/internal/problem"
)

// checkLogKeys holds keys of a log and of a witness to the form in which they are
// published: named after the member, so that no key can speak for another.
func checkLogKeys(member, log, witness string) error {
	if err := translog.CheckKeys(member, log, witness); err != nil {
		return problem.Wrap(err, problem.Invalid, "exchange.log_key")
	}
	return nil
}

// firstLogKeys keeps the first keys that a member's node shows. Another key later
// could hide what the log has signed under the first: it comes in with a new
// invitation only, which a person makes.
func (x *Exchange) firstLogKeys(ctx context.Context, tx *db.Tx, by Caller, log, witness string) error {
	if log == "" && witness == "" {
		return nil
	}
	m, err := x.store.member(ctx, tx, by.Member)
	if err != nil {
		return err
	}
	if m.LogKey != "" && log != "" && m.LogKey != log || m.WitnessKey != "" && witness != "" && m.WitnessKey != witness {
		return problem.New(problem.Conflict, "exchange.log_key_set")
	}
	_, err = tx.ExecContext(ctx, `UPDATE exchange_member SET log_key = $2, witness_key = $3 WHERE id = $1`, by.Member, or(log, m.LogKey), or(witness, m.WitnessKey))
	return err
}
