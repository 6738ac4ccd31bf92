package verifier

import "diwan/internal/gov"

func (w *world) actor() gov.Actor { return gov.Actor{ID: "operator"} }
