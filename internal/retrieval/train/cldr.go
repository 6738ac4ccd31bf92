package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// readNames pairs the French and Arabic names of languages, countries and
// scripts, and the names and keywords of signs, from the folders of two CLDR
// packages.
func readNames(locales, annotations string) ([][2]string, error) {
	var out [][2]string
	for _, file := range []string{"languages.json", "territories.json", "scripts.json"} {
		fr, err := leaves(filepath.Join(locales, "main", "fr", file))
		if err != nil {
			return nil, err
		}
		ar, err := leaves(filepath.Join(locales, "main", "ar", file))
		if err != nil {
			return nil, err
		}
		out = append(out, join(fr, ar)...)
	}
	fr, err := leaves(filepath.Join(annotations, "annotations", "fr", "annotations.json"))
	if err != nil {
		return nil, err
	}
	ar, err := leaves(filepath.Join(annotations, "annotations", "ar", "annotations.json"))
	if err != nil {
		return nil, err
	}
	return append(out, join(fr, ar)...), nil
}

// leaves returns the texts of a CLDR file by the path to them without the
// language; lists are joined.
func leaves(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	out := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case string:
			out[path] = v
		case []any:
			var all []string
			for _, x := range v {
				if s, ok := x.(string); ok {
					all = append(all, s)
				}
			}
			out[path] = strings.Join(all, " ")
		case map[string]any:
			for k, x := range v {
				if k == "fr" || k == "ar" {
					k = "*"
				}
				if k != "identity" {
					walk(path+"/"+k, x)
				}
			}
		}
	}
	walk("", v)
	return out, nil
}

// join pairs what both languages have, in a fixed order.
func join(fr, ar map[string]string) [][2]string {
	var keys []string
	for k := range fr {
		if ar[k] != "" && !strings.Contains(k, "-alt-") {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	var out [][2]string
	seen := map[[2]string]bool{}
	for _, k := range keys {
		p := [2]string{clean(fr[k]), clean(ar[k])}
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}

func clean(s string) string { return strings.Join(strings.Fields(s), " ") }
