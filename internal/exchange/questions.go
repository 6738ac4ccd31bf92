package exchange

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Kinds of what people send about an exchange.
const (
	KindQuestion  = "question"
	KindComplaint = "complaint"
)

// Question is what a person asks about one exchange, and the answer.
type Question struct {
	ID, Request, Kind, Words, Answer string
	Asked, Answered                  time.Time
	Access                           *Access // what it is about
}

// Bounds of what people write.
const (
	maxQuestion = 4000
	openOfOne   = 20 // questions of one person that wait for an answer
)

// Ask keeps a person's question about an exchange of their own data.
func (x *Exchange) Ask(ctx context.Context, by gov.Actor, subject, request, kind, words string) error {
	words = strings.TrimSpace(words)
	switch {
	case words == "":
		return problem.New(problem.Invalid, "exchange.question_empty")
	case len(words) > maxQuestion:
		return problem.New(problem.Invalid, "exchange.question_long")
	case kind != KindQuestion && kind != KindComplaint:
		return problem.New(problem.Invalid, "exchange.question_kind")
	}
	return x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		var known, open int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM exchange_notice WHERE subject = $1 AND request = $2`, subject, request).Scan(&known); err != nil {
			return err
		}
		if known == 0 { // somebody else's, or none: they learn nothing
			return problem.New(problem.NotFound, "exchange.not_found")
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM exchange_question WHERE subject = $1 AND answered_at = 0`, subject).Scan(&open); err != nil {
			return err
		}
		if open >= openOfOne {
			return problem.New(problem.TooMany, "exchange.questions_open")
		}
		id := gov.NewID()
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_question (id, subject, request, kind, words, asked_at, answer, answered_at, answered_by) VALUES ($1, $2, $3, $4, $5, $6, '', 0, '')`,
			id, subject, request, kind, words, db.Micros(x.clock.Now()))
		if err != nil {
			return err
		}
		return x.audit.Append(ctx, tx, chain, by, "exchange.question.asked", id, nil)
	})
}

// Reply answers a question, once.
func (x *Exchange) Reply(ctx context.Context, by gov.Actor, id, words string) error {
	words = strings.TrimSpace(words)
	if words == "" || len(words) > maxQuestion {
		return problem.New(problem.Invalid, "exchange.question_empty")
	}
	return x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE exchange_question SET answer = $2, answered_at = $3, answered_by = $4 WHERE id = $1 AND answered_at = 0`, id, words, db.Micros(x.clock.Now()), by.ID)
		if err := one(r, err); err != nil {
			return err
		}
		return x.audit.Append(ctx, tx, chain, by, "exchange.question.answered", id, nil)
	})
}

// QuestionsOf lists what a person asked, the newest first.
func (x *Exchange) QuestionsOf(ctx context.Context, subject string) ([]*Question, error) {
	return x.questions(ctx, `WHERE subject = $1 ORDER BY asked_at DESC, id LIMIT 200`, subject)
}

// OpenQuestions lists what waits for an answer, the oldest first.
func (x *Exchange) OpenQuestions(ctx context.Context, limit int) ([]*Question, error) {
	return x.questions(ctx, `WHERE answered_at = 0 ORDER BY asked_at, id LIMIT $1`, limit)
}

func (x *Exchange) questions(ctx context.Context, where string, args ...any) (list []*Question, err error) {
	err = each(ctx, x.store.db.Reader(), func(r *sql.Rows) error {
		var q Question
		var subject string
		var asked, answered int64
		if err := r.Scan(&q.ID, &subject, &q.Request, &q.Kind, &q.Words, &asked, &q.Answer, &answered); err != nil {
			return err
		}
		q.Asked, q.Answered = db.Time(asked), momentOf(answered)
		list = append(list, &q)
		return nil
	}, `SELECT id, subject, request, kind, words, asked_at, answer, answered_at FROM exchange_question `+where, args...)
	return list, err
}
