//go:build !windows

package main

import "github.com/jeandeaual/go-locale"

// languages are those that the person reads, the best first: on macOS the preferred languages of the
// system, which a program started from the Finder has no environment for, elsewhere what the environment says.
func languages() []string {
	all, err := locale.GetLocales()
	if err != nil {
		return nil // English it is.
	}
	return all
}
