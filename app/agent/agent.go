package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/keychain"
	"roletray/pim/session"
	"roletray/pim/signin"
	"roletray/pim/store"
	"roletray/pim/tenant"
)

// Params are what an agent is made of. Instance, Profile and Words are required.
type Params struct {
	// Instance is the right to be the profile's agent. Run closes it.
	Instance *local.Instance
	// Profile is the folder for everything that is kept.
	Profile string
	// Default says that Profile is not one that the person chose.
	Default bool
	// Build is the program's version.
	Build string
	// Cloud is where sign-ins go that name no other.
	Cloud pim.Cloud
	// Demo serves a simulated tenant, its clock Speed times as fast; 1 where zero.
	Demo  bool
	Speed float64
	// DemoAsks has people of the demo ask for roles that wait for its user's decision.
	DemoAsks bool
	// Ring is the keychain; nil means the operating system's.
	Ring keychain.Ring
	// OpenBrowser shows a page to the person; nil means in the system's browser.
	OpenBrowser func(url string) error
	// Desktop shows the tray and the notifications; the zero value shows nothing.
	Desktop Desktop
	// WindowCommand is the command line that shows the window, or says why there
	// is none; nil means that there is none.
	WindowCommand func() ([]string, error)
	Words         view.Words
	// Tell tells whoever started the agent one line; nil tells nobody.
	Tell func(line string)
	// Log is nil for none.
	Log *slog.Logger
}

// Tray is the icon in the notification area.
type Tray interface {
	// Run shows it until ctx ends.
	Run(ctx context.Context)
	Show(view.Tray)
}

// Notifier shows notifications.
type Notifier interface {
	Send(ctx context.Context, n notify.Note) error
	Withdraw(ctx context.Context, id string) error
	Close() error
}

// Desktop makes what the desktop shows. Each may be nil for none.
type Desktop struct {
	// Tray makes the tray. Chosen must not block.
	Tray func(chosen func(view.Action)) (Tray, error)
	// TrayHosted calls changed whenever the desktop begins or ceases to show trays, and
	// once at first, until ctx ends.
	TrayHosted func(ctx context.Context, changed func(hosted bool)) error
	// Notifier makes the notifier. Acted must not block.
	Notifier func(acted func(note, action string)) (Notifier, error)
}

// Agent is made by New and run once. Its methods are safe for concurrent use.
type Agent struct {
	p        Params
	log      *slog.Logger
	clock    session.Clock
	tenant   *tenant.Tenant
	person   *demoPerson
	signin   *signin.Service
	settings *store.SettingsFile
	told     *store.File[told]
	tray     Tray
	notifier Notifier

	// ctx is the agent's life; quit ends it. Both are set by Run.
	ctx  context.Context
	quit context.CancelFunc
	work sync.WaitGroup
	poke chan struct{}

	// accounts lets one account at a time begin or end its work.
	accounts sync.Mutex

	mu        sync.Mutex
	closing   bool
	sessions  map[string]*running
	current   store.Settings
	starting  bool
	signIns   int
	notices   []local.Notice
	hosted    bool
	raise     int
	page      string
	sheet     *local.Sheet
	watchers  map[chan struct{}]struct{}
	reminders told
	notes     map[string]noted
	window    windowProcess
}

// New reads the profile and prepares everything; nothing is read from a service
// yet. The error is one sentence with what to do.
func New(ctx context.Context, p Params) (*Agent, error) {
	a := &Agent{
		p: p, log: p.Log, clock: computerClock{}, poke: make(chan struct{}, 1),
		sessions: map[string]*running{}, watchers: map[chan struct{}]struct{}{}, notes: map[string]noted{},
		settings: store.OpenSettings(p.Profile), told: openTold(p.Profile),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.p.Tell == nil {
		a.p.Tell = func(string) {}
	}
	if err := a.claim(); err != nil {
		return nil, err
	}
	var err error
	if a.current, err = a.settings.Load(); a.fatal("settings", err) {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	if a.reminders, err = a.told.Load(); a.fatal("reminders", err) {
		return nil, fmt.Errorf("read what was announced: %w", err)
	}
	if a.reminders == nil {
		a.reminders = told{}
	}
	if p.Demo {
		if err := a.startTenant(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.openSignIn(); err != nil {
		return nil, errors.Join(err, a.closeTenant())
	}
	return a, nil
}

// fatal says whether the agent cannot live with an error of a file. It can with
// one that is damaged or newer, and says so.
func (a *Agent) fatal(file string, err error) bool {
	if d, ok := errors.AsType[*store.DamagedError](err); ok {
		text := "The file of the " + file + " was damaged; it was moved aside and the defaults are used."
		a.addNotice(local.Notice{ID: "file:" + file, Text: text, Details: pim.CleanText(d.Error(), 500)})
		return false
	}
	if n, ok := errors.AsType[*store.NewerError](err); ok {
		text := "The file of the " + file + " was written by a newer version of Roletray; update Roletray to use it."
		a.addNotice(local.Notice{ID: "file:" + file, Text: text, Details: pim.CleanText(n.Error(), 500)})
		return false
	}
	return err != nil
}

// Run serves until ctx ends or the agent is asked to quit, and returns when
// everything that it started has stopped. It must be called on the program's main
// goroutine, since that is where a desktop's tray lives.
func (a *Agent) Run(ctx context.Context) error {
	a.ctx, a.quit = context.WithCancel(ctx)
	defer a.quit()
	a.mu.Lock()
	a.starting = a.p.Demo
	a.mu.Unlock()
	a.openDesktop()
	for _, acc := range a.signin.Accounts() {
		if a.p.Demo {
			break // They are of a tenant that is gone.
		}
		if err := a.startSession(acc); err != nil {
			a.log.Error("could not open an account", "account", acc.ID, "error", err)
			a.addNotice(local.Notice{
				ID: "account:" + acc.ID, Text: "The account " + pim.CleanText(acc.Username, 80) + " cannot be opened; sign out and in again.",
				Details: pim.CleanText(err.Error(), 500),
			})
		}
	}
	served := make(chan error, 1)
	a.work.Go(func() {
		err := a.p.Instance.Serve(a.ctx, a, a.log)
		if err != nil {
			a.quit()
		}
		served <- err
	})
	a.work.Go(a.loop)
	if a.p.Demo {
		a.work.Go(a.signInDemo)
	}
	a.log.Info("agent started", "build", a.p.Build, "demo", a.p.Demo)
	if a.tray != nil {
		a.tray.Run(a.ctx)
	}
	<-a.ctx.Done()
	a.mu.Lock()
	a.closing = true
	a.mu.Unlock()
	a.work.Wait()
	a.signin.Close()
	if a.notifier != nil {
		if err := a.notifier.Close(); err != nil {
			a.log.Warn("could not close the notifications", "error", err)
		}
	}
	err := errors.Join(<-served, a.closeTenant(), a.p.Instance.Close())
	a.log.Info("agent ended", "error", err)
	return err
}

// loop is the agent's one timer: it shows the newest state, announces what is due
// and sleeps until something changes or the next moment that matters.
func (a *Agent) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-a.poke:
			a.publish()
		case <-timer.C:
		}
		timer.Reset(a.show())
	}
}

// longestNap bounds how late a sleep of the computer is noticed.
const longestNap = time.Minute

// show brings tray and reminders up to date, and returns how long that stays so.
func (a *Agent) show() time.Duration {
	state := a.State()
	now := state.Now
	next := now.Add(24 * time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if a.tray != nil {
		v := view.PresentTray(state, now.In(time.Local), a.p.Words)
		a.tray.Show(v)
		sooner(v.Next)
	}
	sooner(a.remind(state, now))
	return min(max(a.clock.Real(next.Sub(now)), 10*time.Millisecond), longestNap)
}

// spawn runs f in a goroutine that Run waits for, unless the agent is ending.
func (a *Agent) spawn(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closing {
		a.work.Go(f)
	}
}

// changed has the loop look at everything again.
func (a *Agent) changed() {
	select {
	case a.poke <- struct{}{}:
	default:
	}
}

// publish tells every watcher that there is a new state.
func (a *Agent) publish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for ch := range a.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

type computerClock struct{}

func (computerClock) Now() time.Time                     { return time.Now().UTC().Round(0) }
func (computerClock) Real(d time.Duration) time.Duration { return d }
