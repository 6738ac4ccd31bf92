// Package beside finds the reference material that may lie beside a checkout:
// specifications, schemas, vectors and real texts, which are not part of the
// project. What uses it says so and goes without where it is absent.
package beside

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Root returns the folder of the checkout in which the program was started: the
// nearest one above with a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("the working directory is not within a checkout")
		}
		dir = filepath.Dir(dir)
	}
}

// Find returns where a file or folder of the reference material lies, given with
// slashes from its top.
func Find(place string) (string, error) {
	dir, err := Root()
	if err != nil {
		return "", err
	}
	found := filepath.Join(filepath.Dir(dir), "shared", filepath.FromSlash(place))
	if _, err := os.Stat(found); err != nil {
		return "", fmt.Errorf("the reference material is not beside the checkout: %w", err)
	}
	return found, nil
}
