//go:build !nowindow

package window

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/window/ui"
	"roletray/assets"
)

// Params are what the window needs.
type Params struct {
	// Profile is the folder of the agent's profile.
	Profile string
	// Build is this program's version.
	Build string
	Words view.Words
	// Stderr gets the one sentence that says why there is no window.
	Stderr io.Writer
	// Stdout gets a line when the window shows and, when the person has closed it, the number of the
	// last ask for it that it has met. The agent opens it again for a later one.
	Stdout io.Writer
}

const (
	appID = "io.github.roletray.Roletray"
	// The first size leaves room for panels on a screen of 1024 by 768.
	firstWidth, firstHeight = 960, 660
	// reconnect is how long to wait for an agent before asking again.
	reconnect = 500 * time.Millisecond
	// farewell is how long calls under way may take to end after the window has closed.
	farewell = 2 * time.Second
)

// Run shows the window of the profile's agent until the person closes it or ctx ends, and
// returns the exit status: 0, or 1 where no window could be opened. It must be called
// on the main goroutine, at most once.
func Run(ctx context.Context, p Params) (code int) {
	if reason := noDisplay(); reason != "" {
		fmt.Fprintln(p.Stderr, reason)
		return 1
	}
	// Fyne panics where there is no display or no OpenGL.
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(p.Stderr, "The window cannot be opened here (%v); use the command line, or install an OpenGL driver.\n", r)
			code = 1
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	a := ui.Still(app.NewWithID(appID))
	fyne.SetCurrentApp(a)
	a.SetIcon(fyne.NewStaticResource("roletray.png", assets.Icon()))
	w := a.NewWindow("Roletray")
	w.SetPadded(false)
	w.SetMaster()

	r := &runner{params: p, ctx: ctx, agent: &agent{profile: p.Profile}}
	r.ui = ui.New(ui.Params{
		App: a, Window: w, Agent: r.agent.current, Words: p.Words, Build: p.Build,
		Work: r.work, Do: fyne.Do, Clock: time.Now, Wake: r.wake,
	})
	w.Resize(fyne.NewSize(firstWidth, firstHeight))
	w.CenterOnScreen()
	// What is asked for after the window began to close is not met, though the
	// agent's word of it still arrives.
	met := -1
	w.SetOnClosed(func() { met = r.ui.Raised() })
	a.Lifecycle().SetOnStarted(func() {
		r.work(r.watch)
		fyne.Do(func() { fmt.Fprintln(p.Stdout, "open") })
		r.group.Go(func() {
			<-ctx.Done()
			fyne.Do(a.Quit)
		})
	})
	a.Lifecycle().SetOnEnteredForeground(func() { r.ui.SetForeground(true) })
	a.Lifecycle().SetOnExitedForeground(func() { r.ui.SetForeground(false) })
	w.ShowAndRun()

	cancel()
	r.stop()
	if met < 0 {
		met = r.ui.Raised()
	}
	fmt.Fprintln(p.Stdout, met)
	return 0
}

// noDisplay says why no window can be opened, or nothing.
func noDisplay() string {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return "Roletray was started without a display, so it has no window; use the command line, or quit Roletray and start it on a desktop."
	}
	return ""
}

// runner owns the goroutines of the window.
type runner struct {
	params Params
	ctx    context.Context
	agent  *agent
	ui     *ui.UI
	group  sync.WaitGroup
	// timer belongs to the goroutine of the user interface.
	timer *time.Timer
}

func (r *runner) work(f func(context.Context)) {
	r.group.Go(func() { f(r.ctx) })
}

func (r *runner) wake(d time.Duration) {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = time.AfterFunc(d, func() {
		if r.ctx.Err() == nil {
			fyne.Do(r.ui.Tick)
		}
	})
}

// stop waits for what is under way, but not for a call that the agent does not give up.
func (r *runner) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	done := make(chan struct{})
	go func() {
		r.group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(farewell):
	}
	r.agent.close()
}

// watch shows what the agent says, from one agent to the next.
func (r *runner) watch(ctx context.Context) {
	for ctx.Err() == nil {
		client, err := r.agent.dial(ctx)
		if err == nil {
			for state, err := range client.Watch(ctx) {
				if err != nil {
					break
				}
				r.ui.Deliver(state)
			}
		}
		if ctx.Err() != nil {
			return
		}
		fyne.Do(r.ui.Lost)
		select {
		case <-ctx.Done():
		case <-time.After(reconnect):
		}
	}
}

// agent is the client of whichever agent is running now.
type agent struct {
	profile string
	mu      sync.Mutex
	client  *local.Client
}

// dial finds the agent and makes it the one that is called.
func (a *agent) dial(ctx context.Context) (*local.Client, error) {
	c, err := local.Dial(ctx, a.profile, "window")
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		a.client.Close()
	}
	a.client = c
	return c, nil
}

// current is the agent that has answered last.
func (a *agent) current() (ui.Agent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client == nil {
		return nil, local.ErrNoAgent
	}
	return a.client, nil
}

func (a *agent) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != nil {
		a.client.Close()
	}
}
