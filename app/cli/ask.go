package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// AskOn returns what asks the person at a terminal, for Params.Ask: nil where in or out is
// not a terminal.
func AskOn(in, out *os.File) func(context.Context, string) (bool, error) {
	if !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	lines := bufio.NewReader(in)
	return func(ctx context.Context, question string) (bool, error) {
		if _, err := fmt.Fprint(out, question, " [y/N] "); err != nil {
			return false, err
		}
		// Nothing ends a read from a terminal but the person, or the end of the program.
		answer := make(chan string, 1)
		go func() {
			line, _ := lines.ReadString('\n')
			answer <- line
		}()
		select {
		case line := <-answer:
			return isYes(line), nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

func isYes(line string) bool {
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true
	}
	return false
}

// asks says whether somebody is there to be asked.
func (a *app) asks() bool { return a.Ask != nil && !a.flags.json }
