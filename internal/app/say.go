package app

import (
	"errors"
	"strings"

	"diwan/internal/i18n"
	"diwan/internal/problem"
)

// Say puts an error into words for whoever runs a command: stable codes are for
// programs, and say nobody what to mend. Places in a file stay before what is
// wrong there.
func Say(err error) string {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok {
		return err.Error()
	}
	const lang = "en" // the language of the commands
	words, werr := i18n.Load([]string{lang}, MessageFolders())
	if werr != nil {
		return err.Error()
	}
	say := func(code string, args map[string]string) string {
		if !words.Has(lang, "problem."+code) {
			return code
		}
		var pairs []string
		for k, v := range args {
			pairs = append(pairs, k, v)
		}
		return words.Printer(lang).T("problem."+code, pairs...)
	}
	said := say(e.Code, e.Args)
	for _, f := range e.Fields {
		said += " " + f.Path + ": " + say(f.Code, f.Args)
	}
	if e.Kind == problem.Internal && e.Err != nil {
		said = e.Err.Error()
	}
	return strings.Replace(err.Error(), e.Error(), said, 1)
}
