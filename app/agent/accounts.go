package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/keychain"
	"roletray/pim/session"
	"roletray/pim/signin"
	"roletray/pim/store"
)

// running is an account's session at work.
type running struct {
	account pim.Account
	session *session.Session
	// stop ends it, and done is closed when it has ended.
	stop context.CancelFunc
	done chan struct{}
}

func byName(x, y pim.Account) int {
	return cmp.Or(strings.Compare(strings.ToLower(x.Username), strings.ToLower(y.Username)), strings.Compare(x.ID, y.ID))
}

// openSignIn opens the accounts of the profile, with a keychain of its own for the
// demo and for each profile that a person chose: what one signs out of is not
// another's.
func (a *Agent) openSignIn() error {
	service := "roletray"
	if a.p.Demo {
		service = "roletray-demo"
	}
	if !a.p.Default {
		sum := sha256.Sum256([]byte(a.p.Profile))
		service += "-" + hex.EncodeToString(sum[:6])
	}
	ring := a.p.Ring
	if ring == nil {
		ring = keychain.System()
	}
	open := a.p.OpenBrowser
	if a.p.Demo {
		open = a.person.open
	}
	var err error
	a.signin, err = signin.New(signin.Params{
		Dir:         a.p.Profile,
		Keychain:    keychain.New(ring, service, keychain.WithLockFile(filepath.Join(a.p.Profile, "keychain.lock"))),
		OpenBrowser: open, Now: a.clock.Now, Log: a.log,
	})
	if err != nil {
		return err
	}
	for i, w := range a.signin.Warnings() {
		a.addNotice(local.Notice{ID: fmt.Sprint("account-record:", i), Text: w})
	}
	return nil
}

// startSession puts an account to work. The agent must be running.
func (a *Agent) startSession(acc pim.Account) error {
	source := a.signin.Source(acc.ID)
	providers, err := a.providers(acc, source)
	if err != nil {
		return err
	}
	files, err := store.OpenAccount(a.p.Profile, acc.ID)
	if err != nil {
		return err
	}
	s, err := session.New(session.Params{
		Account: acc, Providers: providers, Stepper: source, Renewer: source, Files: files, Clock: a.clock,
		Log: a.log.With("account", acc.ID),
	})
	if err != nil {
		return err
	}
	for i, n := range s.Notices() {
		a.addNotice(local.Notice{
			ID:   fmt.Sprintf("file:%s:%d", acc.ID, i),
			Text: "A file of " + pim.CleanText(acc.Username, 80) + " could not be used; Roletray goes on without what was in it.", Details: pim.CleanText(n.Error(), 500),
		})
	}
	ctx, stop := context.WithCancel(a.ctx)
	r := &running{account: acc, session: s, stop: stop, done: make(chan struct{})}
	a.mu.Lock()
	a.sessions[acc.ID] = r
	a.mu.Unlock()
	changed, unsubscribe := s.Subscribe()
	ended := make(chan struct{})
	a.spawn(func() {
		defer close(ended)
		for e := range s.Events() {
			a.happened(r, e)
		}
	})
	a.spawn(func() {
		defer unsubscribe()
		for {
			select {
			case <-changed:
				a.changed()
			case <-ctx.Done():
				return
			}
		}
	})
	a.spawn(func() {
		defer close(r.done)
		defer stop()
		if err := s.Run(ctx); err != nil {
			a.log.Error("a session ended", "account", acc.ID, "error", err)
		}
		<-ended
	})
	a.changed()
	return nil
}

// stopSession ends an account's work and waits for it.
func (a *Agent) stopSession(id string) {
	a.mu.Lock()
	r := a.sessions[id]
	delete(a.sessions, id)
	a.mu.Unlock()
	if r != nil {
		r.stop()
		<-r.done
	}
}

// session is the session of an account, or of the only one where id is empty.
func (a *Agent) session(id string) (*running, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id == "" && len(a.sessions) == 1 {
		for only := range a.sessions {
			id = only
		}
	}
	r := a.sessions[id]
	switch {
	case r != nil:
		return r, nil
	case len(a.sessions) == 0:
		return nil, local.NewError(local.CodeNoAccount, "Nobody is signed in; sign in first.")
	case id == "":
		return nil, local.NewError(local.CodeBadRequest, "Several accounts are signed in; name one.")
	}
	return nil, local.NewError(local.CodeNoAccount, "This account is not signed in; sign in first.")
}

// SignIn signs an account in and puts it to work. A known account signs in again
// where it did before.
func (a *Agent) SignIn(ctx context.Context, req local.SignInRequest) (pim.Account, error) {
	if err := a.writable(ctx); err != nil {
		return pim.Account{}, err
	}
	o := signin.Options{Cloud: req.Cloud, Method: req.Method}
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	defer context.AfterFunc(a.ctx, leave)()
	a.signingIn(1)
	defer a.signingIn(-1)
	if req.Account != "" {
		r, err := a.session(req.Account)
		if err != nil {
			return pim.Account{}, err
		}
		if met, err := signInAgain(ctx, r); met || err != nil {
			return r.account, err
		}
		o = signin.Options{Cloud: r.account.Cloud, Method: r.account.Method, LoginHint: r.account.Username}
	}
	if o.Cloud == (pim.Cloud{}) {
		o.Cloud = a.cloud()
	} else if err := a.allowed(&o.Cloud); err != nil {
		return pim.Account{}, err
	}
	if a.p.Demo && o.Method == pim.SignInAzureCLI {
		return pim.Account{}, local.NewError(local.CodeBadRequest, "The demo touches nothing real; start Roletray without --demo to use the Azure CLI's session.")
	}
	acc, err := a.signin.SignIn(ctx, o)
	if err != nil {
		return pim.Account{}, err
	}
	// Azure roles need not wait for Graph.
	if _, err := a.session(acc.ID); err != nil {
		if err := a.employ(acc); err != nil {
			return acc, err
		}
	}
	a.connectGraph(ctx, acc)
	return acc, a.employ(acc)
}

// employ puts an account that has just signed in to work.
func (a *Agent) employ(acc pim.Account) error {
	a.accounts.Lock()
	defer a.accounts.Unlock()
	if r, err := a.session(acc.ID); err == nil && r.account == acc {
		// Its tokens are new, and so may be what it may read.
		a.readAgain(r)
		return nil
	}
	a.stopSession(acc.ID)
	return a.startSession(acc)
}

// signInAgain has an account's session meet what its reads wait for, such as a
// stronger sign-in. It is false where they wait for nothing.
func signInAgain(ctx context.Context, r *running) (bool, error) {
	if r.session.Snapshot().SignIn == nil {
		return false, nil
	}
	err := r.session.SignIn(ctx)
	if r.session.Snapshot().SignIn == nil {
		return true, nil // What else could not be read, the snapshot says.
	}
	return false, err
}

// readAgain has a session read without waiting for it.
func (a *Agent) readAgain(r *running) {
	a.spawn(func() {
		err := r.session.Refresh(a.ctx, "signed in")
		if pim.CodeOf(err) == pim.CodeConsent {
			// It may have joined a read from before the sign-in.
			err = r.session.Refresh(a.ctx, "signed in")
		}
		if err != nil && a.ctx.Err() == nil {
			a.log.Info("could not read everything", "account", r.account.ID, "error", err)
		}
	})
}

// cloud is where sign-ins go that name no other.
func (a *Agent) cloud() pim.Cloud {
	if a.tenant != nil {
		return a.demoCloud()
	}
	return a.p.Cloud
}

// allowed completes a cloud that was named only, and refuses one that makes no sense
// or, in the demo, is real.
func (a *Agent) allowed(c *pim.Cloud) error {
	if known, ok := pim.CloudNamed(c.Name); ok {
		*c = known
	}
	if a.p.Demo && *c != a.demoCloud() {
		return local.NewError(local.CodeBadRequest, "The demo touches nothing real; start Roletray without --demo to sign in there.")
	}
	if c.Authority == "" || c.ARM == "" || c.Graph == "" {
		return local.NewError(local.CodeBadRequest, "The cloud has no endpoints; name public, usgov, dod or china, or give a file.")
	}
	return nil
}

func (a *Agent) signingIn(n int) {
	a.mu.Lock()
	a.signIns += n
	a.mu.Unlock()
	a.changed()
}

// SignOut forgets an account: its tokens, its files and, where asked, its history.
func (a *Agent) SignOut(ctx context.Context, req local.SignOutRequest) error {
	if err := a.writable(ctx); err != nil {
		return err
	}
	a.accounts.Lock()
	defer a.accounts.Unlock()
	r, err := a.session(req.Account)
	if err != nil {
		return err
	}
	a.stopSession(r.account.ID)
	if err := a.signin.SignOut(ctx, r.account.ID); err != nil {
		// It stays signed in, so it goes on working.
		return errors.Join(err, a.startSession(r.account))
	}
	a.changed()
	if err := store.RemoveAccount(a.p.Profile, r.account.ID, req.ForgetHistory); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}
