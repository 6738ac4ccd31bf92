package gazette

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"diwan/internal/db"
)

// rowsAtOnce is how many rows one statement takes where each statement is a trip
// over the network.
const rowsAtOnce = 100

// insert writes rows: with SQLite one by one through a prepared statement, whose
// driver takes ever longer for each value of a long one; with PostgreSQL many at
// once.
func (s store) insert(ctx context.Context, tx *db.Tx, table, columns string, rows [][]any) error {
	per := rowsAtOnce
	if s.db.Engine() == db.SQLite {
		per = 1
	}
	for len(rows) >= per && per > 0 {
		n := len(rows) / per * per
		if err := insertEach(ctx, tx, table, columns, rows[:n], per); err != nil {
			return err
		}
		rows = rows[n:]
	}
	if len(rows) == 0 {
		return nil
	}
	return insertEach(ctx, tx, table, columns, rows, len(rows))
}

// insertEach writes rows, per of them at a time.
func insertEach(ctx context.Context, tx *db.Tx, table, columns string, rows [][]any, per int) error {
	stmt, err := tx.PrepareContext(ctx, insertText(table, columns, len(rows[0]), per))
	if err != nil {
		return fmt.Errorf("writing to %s: %w", table, err)
	}
	defer stmt.Close()
	args := make([]any, 0, per*len(rows[0]))
	for i := 0; i < len(rows); i += per {
		args = args[:0]
		for _, row := range rows[i : i+per] {
			args = append(args, row...)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("writing %d rows of %s: %w", per, table, err)
		}
	}
	return nil
}

func insertText(table, columns string, width, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + columns + ") VALUES ")
	n := 0
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range width {
			if j > 0 {
				b.WriteByte(',')
			}
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(')')
	}
	return b.String()
}
