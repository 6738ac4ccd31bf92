package app

import (
	"cmp"
	"slices"

	"diwan/internal/casework"
)

// places lists the administrations of the catalogue and their places, by id.
func (c catalogued) places() []casework.Office {
	var out []casework.Office
	for _, adm := range c.a.Catalogue.Snapshot().Administrations {
		out = append(out, casework.Office{ID: adm.ID, Name: adm.Name})
		for _, o := range adm.Offices {
			out = append(out, casework.Office{ID: o.ID, Name: o.Name})
		}
	}
	slices.SortFunc(out, func(a, b casework.Office) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// isOffice tells whether there is an administration, or a place of one, with an id.
func (c catalogued) isOffice(id string) bool {
	return slices.ContainsFunc(c.places(), func(o casework.Office) bool { return o.ID == id })
}
