// Package cli is the command line: a client of the agent that says in words, or
// with --json in a stable form, what the agent knows and does. It starts the
// agent where none is running. It signs nobody in by itself, calls no service
// and has no state of its own.
//
// Exit codes are 0 done, 1 failed, 2 wrong use, 3 waiting for approval, 4 sign-in
// needed, 130 interrupted.
package cli
