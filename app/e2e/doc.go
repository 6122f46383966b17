// Package e2e has tests only: the built programs, used on a real desktop as a
// person uses them, with tray, notifications, keyring, browser and window. They run
// in a session of scripts/desktop-session (make e2e); its benchmarks (make bench)
// measure what the programs cost.
package e2e
