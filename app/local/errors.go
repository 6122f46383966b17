package local

import (
	"errors"
	"time"

	"roletray/pim"
)

var (
	// ErrNoAgent says that no agent of the profile is running.
	ErrNoAgent = errors.New("roletray is not running")
	// ErrRunning says that another process is the profile's agent.
	ErrRunning = errors.New("another Roletray is running for this profile")
	// ErrLost says that the agent ended before it answered.
	ErrLost = errors.New("roletray ended before it answered")
)

// The codes of problems that the local interface has of its own.
const (
	// CodeBadRequest: the call made no sense.
	CodeBadRequest pim.Code = "bad-request"
	// CodeReadOnly: the settings let the command line only read.
	CodeReadOnly pim.Code = "read-only"
	// CodeNoAccount: nobody is signed in, or not the account that was named.
	CodeNoAccount pim.Code = "no-account"
	// CodeNoRole: the account has no such role.
	CodeNoRole pim.Code = "no-role"
	// CodeNoWindow: the window's program is missing or does not start.
	CodeNoWindow pim.Code = "no-window"
)

// Error is a problem that an agent answers with, as an error.
type Error struct {
	Problem pim.Problem
	// RetryAfter is how long the service asked to be left alone, in whole seconds, or zero.
	RetryAfter time.Duration
}

// NewError makes an error whose text is one sentence that says what happened and
// what to do.
func NewError(code pim.Code, text string) *Error {
	return &Error{Problem: pim.Problem{Code: code, Text: text}}
}

func (e *Error) Error() string { return e.Problem.Text }

// ProblemOf says err in words: the agent's own for an Error, else pim.Explain's.
func ProblemOf(err error) *pim.Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return &e.Problem
	}
	return pim.Explain(err)
}
