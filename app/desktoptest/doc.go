// Package desktoptest drives a desktop session as the person in front of it does: it reads and
// clicks a tray menu, is the notification daemon whose buttons are pressed, signs in with the
// browser, types into windows, looks into the keyring and takes pictures.
//
// It is support for tests, imported by nothing else, and works on Linux in a session made by
// scripts/desktop-session; [Require] tells whether there is one. Everything here waits for what
// it needs, for [Patience] at most, and fails the test with what it saw instead.
package desktoptest
