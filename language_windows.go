package main

import "golang.org/x/sys/windows"

// languages are those that the person reads, the best first: those of Windows' display, not of its formats for
// dates and numbers.
func languages() []string {
	all, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil {
		return nil // English it is.
	}
	return all
}
