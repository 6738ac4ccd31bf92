package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"diwan/internal/verifier/check"
	"diwan/internal/wallet/holder"
	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
)

// ownMembers are about the document itself, and told in other ways.
var ownMembers = []string{"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}

// claimsOf lists what a document says: what its issuer described, in that order, then
// the rest. What lies in a described list or map is told with it, not once more.
func claimsOf(d *WalletHeld, c *holder.Content, lang string) (out []WalletClaim) {
	var seen []claimpath.Path
	add := func(path claimpath.Path, name string, v any) {
		if slices.ContainsFunc(seen, func(p claimpath.Path) bool { return p.Prefix(path) }) {
			return
		}
		seen = append(seen, path)
		out = append(out, WalletClaim{json.RawMessage(path.String()), name, v, sayValue(d, path, v, lang)})
	}
	for _, l := range d.Labels {
		found, err := l.Path.Locate(c.Claims)
		if err != nil {
			continue // it is not in this document
		}
		for _, m := range found {
			add(m.Path, labelIn(l.Display, lang), m.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Claims)) {
		m, ok := c.Claims[name].(map[string]any)
		switch {
		case d.Format == openid4.MDoc && ok:
			for _, id := range slices.Sorted(maps.Keys(m)) {
				add(claimpath.Path{name, id}, id, m[id])
			}
		case !slices.Contains(ownMembers, name):
			add(claimpath.Path{name}, name, c.Claims[name])
		}
	}
	return out
}

// sayValue writes a value in lines.
func sayValue(d *WalletHeld, path claimpath.Path, v any, lang string) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{sayInline(d, path, v, lang)}
	}
	var out []string
	for i, x := range list {
		out = append(out, sayInline(d, append(slices.Clone(path), i), x, lang))
	}
	return out
}

// sayInline writes a value in one line, its members under the names that the issuer gives
// them and in its order.
func sayInline(d *WalletHeld, path claimpath.Path, v any, lang string) string {
	switch v := v.(type) {
	case map[string]any:
		at := func(name string) claimpath.Path { return append(slices.Clone(path), name) }
		names := slices.SortedFunc(maps.Keys(v), func(a, b string) int {
			return cmp.Or(cmp.Compare(labelled(d, at(a)), labelled(d, at(b))), cmp.Compare(a, b))
		})
		parts := make([]string, len(names))
		for i, n := range names {
			label := n
			if k := labelled(d, at(n)); k < len(d.Labels) {
				label = cmp.Or(labelIn(d.Labels[k].Display, lang), n)
			}
			parts[i] = label + " " + sayInline(d, at(n), v[n], lang)
		}
		return strings.Join(parts, " · ")
	case []any:
		return strings.Join(sayValue(d, path, v, lang), ", ")
	}
	if _, picture := (check.Claim{Value: v}).Text(); picture {
		return "(picture)"
	}
	return fmt.Sprint(v)
}

// labelled is the place among a document's labels of the one for a path; their number for
// a path without one.
func labelled(d *WalletHeld, path claimpath.Path) int {
	i := slices.IndexFunc(d.Labels, func(l vci.Claim) bool { return len(l.Path) == len(path) && l.Path.Covers(path) })
	if i < 0 {
		return len(d.Labels)
	}
	return i
}

// LabelOf is what the issuer calls the claim at a path, in a language.
func LabelOf(d *WalletHeld, path claimpath.Path, lang string) string {
	if i := labelled(d, path); i < len(d.Labels) {
		return labelIn(d.Labels[i].Display, lang)
	}
	return path.String()
}
