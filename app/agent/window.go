package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/pim"
)

// windowProcess is the window's program, of which one runs at a time.
type windowProcess struct {
	running bool
	// pid is its process id while it runs, else zero.
	pid int
	// since is the ask for the window that it was started for.
	since int
}

// Show has the window come up: a running one by the state that it watches, else
// by starting it.
func (a *Agent) Show(_ context.Context, req local.ShowRequest) error {
	if a.p.WindowCommand == nil {
		return local.NewError(local.CodeNoWindow, "This Roletray has no window; use the command line.")
	}
	a.mu.Lock()
	start := !a.window.running
	a.window.running = true
	a.raise++
	a.page, a.sheet = req.Page, req.Sheet
	a.mu.Unlock()
	a.changed()
	if !start {
		return nil
	}
	err := a.startWindow()
	if err != nil {
		a.windowEnded("")
	}
	return err
}

// showSheet has the window ask for what the stored answers lack.
func (a *Agent) showSheet(s local.Sheet) error {
	return a.Show(a.ctx, local.ShowRequest{Sheet: &s})
}

// windowEnded notes that the window is gone. With what the window said at its end,
// the last ask for it that it has met, it says whether there was another one since: then it is
// to be started again, and counts as running.
func (a *Agent) windowEnded(met string) (again bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, err := strconv.Atoi(strings.TrimSpace(met))
	a.window = windowProcess{running: err == nil && max(last, a.window.since) < a.raise}
	return a.window.running
}

// startWindow starts the window's program and watches it from then on.
func (a *Agent) startWindow() error {
	args, err := a.p.WindowCommand()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(a.ctx, args[0], args[1:]...) //nolint:gosec // It is our own program.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 3 * time.Second
	a.mu.Lock()
	since := a.raise
	a.mu.Unlock()
	said, raised := &tail{limit: 4 << 10}, &tail{limit: 64}
	cmd.Stderr, cmd.Stdout = said, raised
	if err := cmd.Start(); err != nil {
		a.log.Error("could not start the window", "error", err)
		return local.NewError(local.CodeNoWindow, "The window could not be started; install Roletray again, or use the command line.")
	}
	a.mu.Lock()
	a.window.pid, a.window.since = cmd.Process.Pid, since
	a.mu.Unlock()
	a.removeNotice("window")
	a.spawn(func() {
		err := cmd.Wait()
		again := a.windowEnded(raised.String())
		switch {
		case a.ctx.Err() != nil:
		case err == nil && again:
			if err := a.startWindow(); err != nil {
				a.windowEnded("")
			}
		case err == nil:
			a.mu.Lock()
			quit := a.current.CloseEndsAgent
			a.mu.Unlock()
			if quit {
				a.quit()
			}
		default:
			a.windowFailed(err, said.String())
		}
	})
	return nil
}

// windowFailed tells that the window ended in a way that the person did not ask
// for: in its own sentence where it had one.
func (a *Agent) windowFailed(err error, said string) {
	a.log.Error("the window ended", "error", err, "said", pim.CleanText(said, 2000))
	w := a.p.Words
	text := w.Say("note.window-text")
	if line := strings.TrimSpace(said); line != "" && !strings.Contains(line, "\n") && strings.HasSuffix(line, ".") {
		text = pim.CleanText(line, 300)
	}
	a.addNotice(local.Notice{ID: "window", Text: text, Details: pim.CleanText(fmt.Sprint(err, ": ", said), 2000)})
	a.send(notify.Note{ID: "window", Title: w.Say("note.window"), Body: text})
	a.p.Tell(text)
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	buf   bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if extra := t.buf.Len() - t.limit; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.buf.String() }
