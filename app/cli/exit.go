package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"roletray/app/local"
	"roletray/pim"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitWaiting     = 3
	exitSignIn      = 4
	exitInterrupted = 130
)

// usageError is wrong use of the command line: one sentence with what to do.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// outcome ends a command with a code other than 0 after it has said everything.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit code %d", int(o)) }

// signInNeeded says whom to sign in.
func signInNeeded(text string) error {
	return local.NewError(pim.CodeSignInNeeded, text)
}

func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if o, ok := errors.AsType[outcome](err); ok {
		return int(o)
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	switch local.ProblemOf(err).Code {
	case pim.CodeSignInNeeded, local.CodeNoAccount:
		return exitSignIn
	case local.CodeBadRequest, local.CodeNoRole:
		return exitUsage
	}
	return exitFailed
}

// problemOf says err as a person reads it.
func problemOf(err error) *pim.Problem {
	if e, ok := errors.AsType[*usageError](err); ok {
		return &pim.Problem{Code: codeUsage, Text: e.text}
	}
	if _, ok := errors.AsType[*local.Error](err); ok {
		return local.ProblemOf(err)
	}
	switch {
	case errors.Is(err, local.ErrNoAgent):
		return &pim.Problem{Code: pim.CodeInternal, Text: "Roletray is not running; start it with: roletray"}
	case errors.Is(err, local.ErrLost):
		return &pim.Problem{Code: pim.CodeInternal, Text: "Roletray ended before it answered; start it with: roletray, and see its list before you try again.", Details: err.Error()}
	}
	// Everything else happened on this computer, and its text is ours.
	text := pim.CleanText(err.Error(), 500)
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return &pim.Problem{Code: pim.CodeOf(err), Text: strings.ToUpper(text[:1]) + text[1:]}
}

const codeUsage pim.Code = "usage"
