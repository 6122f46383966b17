package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/signin"
	"roletray/pim/store"
	"roletray/pim/tenant"
)

// demoMark is the file that marks a profile as the demo's.
const demoMark = "demo"

// claim keeps the demo out of a real profile, and real accounts out of the demo's.
func (a *Agent) claim() error {
	mark := filepath.Join(a.p.Profile, demoMark)
	_, err := os.Stat(mark)
	marked := err == nil
	switch {
	case marked && !a.p.Demo:
		return local.NewError(local.CodeBadRequest, "This profile is the demo's; add --demo, or choose another folder with --profile.")
	case marked || !a.p.Demo:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read the profile: %w", err)
	}
	if records, _ := filepath.Glob(filepath.Join(a.p.Profile, "accounts", "*")); len(records) > 0 {
		return local.NewError(local.CodeBadRequest, "This profile has real accounts, which the demo does not touch; choose another folder with --profile.")
	}
	return os.WriteFile(mark, nil, 0o600)
}

func (a *Agent) startTenant(ctx context.Context) error {
	t, err := tenant.Start(context.WithoutCancel(ctx), tenant.Options{Speed: a.p.Speed, CADir: a.p.Profile, Asks: a.p.DemoAsks})
	if err != nil {
		return fmt.Errorf("start the demo: %w", err)
	}
	a.tenant, a.clock = t, tenantClock{t}
	if !a.demoCloud().Loopback() {
		return errors.Join(errors.New("start the demo: its endpoints are not on this computer"), t.Close())
	}
	open := a.p.OpenBrowser
	if open == nil {
		open = signin.OpenBrowser
	}
	if err := a.markDemo(); err != nil {
		return errors.Join(fmt.Errorf("start the demo: %w", err), t.Close())
	}
	user := t.Info().Users[0]
	a.person = &demoPerson{real: open, simulated: t.Browser(user.UPN), log: a.log.Warn}
	return nil
}

// markDemo says in the mark file where the tenant is and how its faults are
// controlled, for whoever wants to play with them.
func (a *Agent) markDemo() error {
	info, err := json.Marshal(a.tenant.Info())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(a.p.Profile, demoMark), append(info, '\n'), 0o600)
}

// closeTenant ends the tenant, and leaves an empty mark: the ports may be another's next.
func (a *Agent) closeTenant() error {
	if a.tenant == nil {
		return nil
	}
	return errors.Join(a.tenant.Close(), os.WriteFile(filepath.Join(a.p.Profile, demoMark), nil, 0o600))
}

func (a *Agent) demoCloud() pim.Cloud {
	i := a.tenant.Info()
	return pim.Cloud{
		Name: "demo", Authority: i.Authority, ARM: i.ARM, Graph: i.Graph,
		TenantID: i.TenantID, ClientID: i.ClientID, CAFile: i.CAFile,
	}
}

// signInDemo signs the demo's person in the way that everybody signs in, but for
// the browser. What is left of a former demo is of a tenant that is gone.
func (a *Agent) signInDemo() {
	defer func() {
		a.mu.Lock()
		a.starting = false
		a.mu.Unlock()
		a.changed()
	}()
	for _, old := range a.signin.Accounts() {
		if err := a.signin.SignOut(a.ctx, old.ID); err != nil {
			a.log.Warn("could not forget an account of a former demo", "error", err)
		}
		if err := store.RemoveAccount(a.p.Profile, old.ID, true); err != nil {
			a.log.Warn("could not remove the files of a former demo", "error", err)
		}
	}
	a.person.automatic(true)
	_, err := a.SignIn(a.ctx, local.SignInRequest{})
	a.person.automatic(false)
	if err != nil && a.ctx.Err() == nil {
		a.log.Error("the demo could not sign in", "error", err)
		a.addNotice(local.Notice{ID: "demo", Text: "The demo could not sign in; sign in yourself.", Details: pim.CleanText(local.ProblemOf(err).Text, 500)})
	}
}

// demoPerson goes through the sign-in pages: by itself when the demo starts, and
// where no browser opens; else the person sees them.
type demoPerson struct {
	real, simulated func(url string) error
	log             func(msg string, args ...any)

	mu   sync.Mutex
	auto bool
}

func (d *demoPerson) automatic(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.auto = on
}

func (d *demoPerson) open(url string) error {
	d.mu.Lock()
	auto := d.auto
	d.mu.Unlock()
	if !auto {
		err := d.real(url)
		if err == nil {
			return nil
		}
		d.log("no browser opens, so the demo signs in by itself", "error", err)
	}
	// The simulated person does one thing at a time.
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.simulated(url)
}

// tenantClock is the demo's time.
type tenantClock struct{ t *tenant.Tenant }

func (c tenantClock) Now() time.Time { return c.t.Now() }

func (c tenantClock) Real(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.t.Speed())
}
