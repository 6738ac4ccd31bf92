package casework

import (
	"context"
	"encoding/json"
	"fmt"

	"diwan/internal/casework/form"
)

// knownFrom is how many of a person's latest cases are looked at for what they have
// said already.
const knownFrom = 10

// KnownOf returns what a person has said in earlier cases, by the names that forms
// use for such facts: what was asked once is not asked again. The latest answer
// holds, and the person sees it and may change it.
func (w *Casework) KnownOf(ctx context.Context, person string) (map[string]any, error) {
	list, err := cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE person = $1 AND form <> '' ORDER BY created_at DESC, id LIMIT $2`, person, knownFrom)
	if err != nil {
		return nil, err
	}
	facts := map[string]any{}
	for _, c := range list {
		if err := w.addKnown(ctx, c, facts); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// addKnown adds the facts of a case that no later case has.
func (w *Casework) addKnown(ctx context.Context, c *Case, facts map[string]any) error {
	f, err := w.Form(ctx, c.Procedure, c.Form)
	if err != nil {
		return nil // the form is gone: its names say nothing any more
	}
	content, err := w.Content(ctx, c)
	if err != nil || len(content.Answers) == 0 {
		return err
	}
	var doc struct {
		Answers json.RawMessage `json:"answers"`
	}
	if err := json.Unmarshal(content.Answers, &doc); err != nil || len(doc.Answers) == 0 {
		return err
	}
	answers, err := form.Decode(doc.Answers)
	if err != nil {
		return fmt.Errorf("the answers of case %s: %w", c.Number, err)
	}
	for _, p := range f.Doc().Pages {
		for _, q := range p.Questions {
			if _, has := facts[q.Known]; q.Known == "" || has || p.Repeat != nil {
				continue
			}
			if v := answers.Get(q.Name); v != nil {
				facts[q.Known] = v
			}
		}
	}
	return nil
}
