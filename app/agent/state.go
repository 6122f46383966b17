package agent

import (
	"slices"
	"strings"

	"roletray/app/local"
	"roletray/pim"
)

// State is the newest state, as of now.
func (a *Agent) State() *local.State {
	s := &local.State{Build: a.p.Build, Now: a.clock.Now(), Speed: 1, Demo: a.p.Demo}
	if a.tenant != nil {
		s.Speed = a.tenant.Speed()
	}
	persistence := a.signin.Persistence()
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Starting, s.SigningIn = a.starting, a.signIns > 0
	s.Settings, s.TrayHosted = a.current, a.hosted
	s.Raise, s.Page, s.Sheet = a.raise, a.page, a.sheet
	s.Notices = slices.Clone(a.notices)
	for _, r := range a.sessions {
		snap := r.session.Snapshot()
		s.Accounts = append(s.Accounts, snap)
		if c := consentOf(snap); c != nil {
			s.Consents = append(s.Consents, *c)
			s.Notices = append(s.Notices, consentNotice(snap, c))
		}
		for _, f := range r.session.Favorites() {
			s.Favorites = append(s.Favorites, local.Favorite{Account: r.account.ID, OwnFavorite: f})
		}
		for _, recent := range r.session.Recent() {
			s.Recent = append(s.Recent, local.Recent{
				Account: r.account.ID, Role: recent.Role, Eligibility: recent.Eligibility, Duration: recent.Duration,
				Justification: recent.Justification, Ticket: recent.Ticket, Used: recent.Used,
			})
		}
	}
	slices.SortFunc(s.Accounts, func(x, y *pim.Snapshot) int { return byName(x.Account, y.Account) })
	// The order of sessions is none; that of one account's favourites is the person's.
	slices.SortStableFunc(s.Favorites, func(x, y local.Favorite) int { return strings.Compare(x.Account, y.Account) })
	slices.SortStableFunc(s.Recent, func(x, y local.Recent) int { return y.Used.Compare(x.Used) })
	if persistence != nil {
		s.Notices = append(s.Notices, local.Notice{
			ID: "keychain", Text: local.ProblemOf(persistence).Text, Details: pim.CleanText(persistence.Error(), 500),
		})
	}
	return s
}

// Subscribe returns a channel that holds a value whenever the state has changed
// since the last receive, and a function that ends it.
func (a *Agent) Subscribe() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchers[ch] = struct{}{}
	return ch, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.watchers, ch)
	}
}

// addNotice shows a standing fact in place of an older one with the same id, and
// says whether there was none.
func (a *Agent) addNotice(n local.Notice) bool {
	a.mu.Lock()
	before := len(a.notices)
	a.notices = append(slices.DeleteFunc(a.notices, func(o local.Notice) bool { return o.ID == n.ID }), n)
	added := len(a.notices) > before
	a.mu.Unlock()
	a.changed()
	return added
}

func (a *Agent) removeNotice(id string) {
	a.mu.Lock()
	before := len(a.notices)
	a.notices = slices.DeleteFunc(a.notices, func(o local.Notice) bool { return o.ID == id })
	gone := len(a.notices) != before
	a.mu.Unlock()
	if gone {
		a.changed()
	}
}
