package agent

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	// opening is what becomes of its start.
	opening *opening
}

// opening is a start of the window's program: over when the window shows, when the
// program has ended or when neither comes for long.
type opening struct {
	over   chan struct{}
	settle sync.Once
	// failure is why no window shows, or nil. It is set before over is closed.
	failure error
	// awaited says that somebody is told of a failure.
	awaited atomic.Bool
}

func newOpening() *opening { return &opening{over: make(chan struct{})} }

// end says what became of the start, if nothing has before, and whether somebody waits for that.
func (o *opening) end(failure error) (told bool) {
	o.settle.Do(func() {
		o.failure, told = failure, o.awaited.Load()
		close(o.over)
	})
	return told
}

// openingLimit is how long somebody waits for a window that neither shows nor fails.
const openingLimit = 5 * time.Second

// wait returns why no window shows. One that takes long is taken for one that comes.
func (o *opening) wait(ctx context.Context) error {
	limit := time.NewTimer(openingLimit)
	defer limit.Stop()
	select {
	case <-o.over:
		return o.failure
	case <-limit.C:
		o.end(nil)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Show has the window come up: a running one by the state that it watches, else
// by starting it. The error says why there is none.
func (a *Agent) Show(ctx context.Context, req local.ShowRequest) error {
	if a.p.WindowCommand == nil {
		return local.NewError(local.CodeNoWindow, "This Roletray has no window; use the command line.")
	}
	a.mu.Lock()
	start := !a.window.running
	if start {
		a.window = windowProcess{running: true, opening: newOpening()}
	}
	opening := a.window.opening
	opening.awaited.Store(true)
	a.raise++
	a.page, a.sheet = req.Page, req.Sheet
	a.mu.Unlock()
	a.changed()
	if start {
		if err := a.startWindow(opening); err != nil {
			a.windowEnded("")
			opening.end(err)
		}
	}
	return opening.wait(ctx)
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
	lines := strings.Fields(met)
	if len(lines) == 0 {
		a.window = windowProcess{}
		return false
	}
	last, err := strconv.Atoi(lines[len(lines)-1])
	again = err == nil && max(last, a.window.since) < a.raise
	a.window = windowProcess{running: again}
	if again {
		a.window.opening = newOpening()
	}
	return again
}

// startWindow starts the window's program and watches it from then on.
func (a *Agent) startWindow(opening *opening) error {
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
	said := &tail{limit: 4 << 10}
	// The window's first word is that it shows.
	raised := &tail{limit: 64, first: func() { opening.end(nil) }}
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
			opening.end(a.ctx.Err())
		case err == nil && again:
			a.startWindowAgain()
		case err == nil:
			a.mu.Lock()
			quit := a.current.CloseEndsAgent
			a.mu.Unlock()
			if quit {
				a.quit()
			}
		default:
			a.windowFailed(err, said.String(), opening)
		}
		opening.end(nil)
	})
	return nil
}

// startWindowAgain starts it for an ask that came while the one before closed.
func (a *Agent) startWindowAgain() {
	a.mu.Lock()
	opening := a.window.opening
	a.mu.Unlock()
	if err := a.startWindow(opening); err != nil {
		a.windowEnded("")
		opening.end(err)
	}
}

// windowFailed tells that the window ended in a way that the person did not ask
// for: in its own sentence where that is the last that it said. Who waits for it to open is told by the answer.
func (a *Agent) windowFailed(err error, said string, opening *opening) {
	a.log.Error("the window ended", "error", err, "said", pim.CleanText(said, 2000))
	w := a.p.Words
	text := w.Say("note.window-text")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if last := lines[len(lines)-1]; strings.HasSuffix(last, ".") {
		text = pim.CleanText(last, 300)
	}
	if opening.end(local.NewError(local.CodeNoWindow, text)) {
		return
	}
	a.addNotice(local.Notice{ID: "window", Text: text, Details: pim.CleanText(fmt.Sprint(err, ": ", said), 2000)})
	a.send(notify.Note{ID: "window", Title: w.Say("note.window"), Body: text})
	a.p.Tell(text)
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	buf   bytes.Buffer
	// first is called before the first is written, if it is set.
	first func()
}

func (t *tail) Write(p []byte) (int, error) {
	if t.first != nil && t.buf.Len() == 0 {
		t.first()
	}
	t.buf.Write(p)
	if extra := t.buf.Len() - t.limit; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string { return t.buf.String() }
