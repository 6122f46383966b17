package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"roletray/app/local"
	"roletray/pim"
)

// How much the tray's menu and tooltip hold.
const (
	trayFavorites = 10
	trayRecents   = 5
	trayEligible  = 20
	trayPending   = 3
	tooltipLimit  = 120
)

// PresentTray makes what the tray shows of state at now. Labels hold clock times and no
// remaining time, so that an open menu is never wrong. A nil state is one that has not
// arrived yet.
func PresentTray(state *local.State, now time.Time, w Words) Tray {
	if state == nil {
		state = &local.State{}
	}
	p := &trayPresenter{state: state, now: now, words: w, wake: wake{now: now}}
	for _, s := range state.Accounts {
		p.accounts = append(p.accounts, newRoles(s, state.Settings.RefuseWeakReasons, now))
	}
	p.wake.at(midnight(now).AddDate(0, 0, 1))
	t := Tray{Menu: p.menu(), Icon: p.icon(), Tooltip: p.tooltip(), Badge: p.badge()}
	t.Next = p.wake.next
	return t
}

type trayPresenter struct {
	state    *local.State
	now      time.Time
	words    Words
	accounts []*roles
	wake     wake
}

func (p *trayPresenter) menu() []Item {
	groups := [][]Item{p.active(), p.pending(), slices.Concat(p.favorites(), p.recent(), p.activate()), p.approvals(), p.signIn(), {
		{ID: "open", Label: p.words.Say("tray.open"), Enabled: true, Action: Open{PageRoles}},
		{ID: "settings", Label: p.words.Say("tray.settings"), Enabled: true, Action: Open{PageSettings}},
		{ID: "quit", Label: p.words.Say("tray.quit"), Enabled: true, Action: Quit{}},
	}}
	var menu []Item
	for i, g := range groups {
		if len(menu) > 0 && len(g) > 0 {
			menu = append(menu, Item{ID: "separator:" + strconv.Itoa(i), Separator: true})
		}
		menu = append(menu, g...)
	}
	return menu
}

// label adds whose role it is where there are several accounts.
func (p *trayPresenter) label(r *roles, text string) string {
	if len(p.accounts) < 2 {
		return text
	}
	return text + " · " + pim.CleanText(accountName(r.account), labelLimit)
}

func (p *trayPresenter) active() []Item {
	var items []Item
	for _, r := range p.accounts {
		for _, a := range r.active {
			items = append(items, p.activeItem(r, a))
		}
	}
	if len(items) == 0 && len(p.accounts) > 0 {
		items = append(items, Item{ID: "nothing-active", Label: p.words.Say("tray.nothing-active")})
	}
	return items
}

func (p *trayPresenter) activeItem(r *roles, active pim.ActiveRole) Item {
	a := active.Assignment
	key := a.Role.Key()
	id := "active:" + r.account.ID + ":" + string(key)
	p.wake.at(a.End)
	name := p.label(r, short(a.Role, labelLimit))

	deactivate := Item{ID: id + ":deactivate", Label: p.words.Say("verb.deactivate"), Action: Deactivate{r.account.ID, key}}
	operation, busy := r.busy[key]
	locked := lockedUntil(a, p.now)
	switch {
	case busy && operation.Action == pim.ActionDeactivate:
		deactivate.Label = p.words.Say("operation.deactivating")
	case !locked.IsZero():
		p.wake.at(locked)
		deactivate.Label = p.words.Say("tray.deactivate-from", Moment(p.words, locked, p.now))
	default:
		deactivate.Enabled = true
	}

	item := Item{ID: id, Enabled: true, Children: []Item{
		p.onward(r, a, id),
		deactivate,
		{ID: id + ":open", Label: p.words.Say("tray.open"), Enabled: true, Action: Open{PageRoles}},
	}}
	if item.Children[0].ID == "" {
		item.Children = item.Children[1:]
	}
	plan, planned := r.plans[key]
	switch {
	case planned && plan.State == pim.PlanWaiting && plan.Local && plan.Approval:
		item.Label = p.words.Say("tray.asks", name, Moment(p.words, plan.At, p.now))
	case planned && plan.State == pim.PlanWaiting && plan.Approval:
		item.Label = p.words.Say("tray.continues-approved", name, Moment(p.words, plan.At, p.now))
	case planned && plan.State == pim.PlanWaiting:
		item.Label = p.words.Say("tray.continues", name, Moment(p.words, plan.At, p.now))
	case active.Certainty == pim.Unconfirmed:
		item.Label = p.words.Say("tray.unconfirmed", name, Moment(p.words, active.UnconfirmedSince, p.now))
	case a.End.IsZero():
		item.Label = p.words.Say("tray.active-without-end", name)
	default:
		item.Label = p.words.Say("tray.active-until", name, Moment(p.words, a.End, p.now))
	}
	return item
}

// onward is the entry about what follows the end of an active role, or the zero Item.
func (p *trayPresenter) onward(r *roles, a pim.Assignment, id string) Item {
	key := a.Role.Key()
	at := Moment(p.words, a.End, p.now)
	if plan, ok := r.plans[key]; ok && plan.State != pim.PlanAsks {
		return Item{ID: id + ":drop-plan", Label: p.words.Say("verb.drop-plan", at), Enabled: true, Action: DropPlan{r.account.ID, key}}
	}
	now, more := p.words.Say("verb.continue", at), p.words.Say("verb.continue-more", at)
	if r.asksThen(a.Role) {
		now, more = p.words.Say("verb.ask-then", at), p.words.Say("verb.ask-then-more", at)
	}
	can, oneClick := r.canContinue(a, r.answers(p.state.Recent, p.now), p.now)
	switch {
	case oneClick:
		return Item{ID: id + ":continue", Label: now, Enabled: true, Action: Continue{r.account.ID, key}}
	case can:
		return Item{ID: id + ":continue", Label: more, Enabled: true, Action: OpenContinue{r.account.ID, key}}
	}
	return Item{}
}

// favorites are one click each; what a favourite lacks is asked for in the window.
func (p *trayPresenter) favorites() []Item {
	var items []Item
	for _, r := range p.accounts {
		for _, f := range r.favorites(p.state) {
			ready := r.ready(f, p.now)
			if len(f.Wishes) == 0 || len(ready.left) == 0 || len(items) == trayFavorites {
				continue
			}
			name := pim.CleanText(f.Name, labelLimit)
			if len(f.Wishes) > 1 {
				name = p.words.Count("tray.bundle", len(f.Wishes), name)
			}
			name = p.label(r, name)
			item := Item{ID: "favorite:" + r.account.ID + ":" + f.ID, Enabled: true, Action: ActivateFavorite{r.account.ID, f.ID}}
			switch span := favoriteSpan(p.words, f); {
			case !ready.oneClick:
				item.Label = p.words.Say("tray.favorite-sheet", name)
				item.Action = OpenFavorite{r.account.ID, f.ID}
			case span != "":
				item.Label = p.words.Say("tray.favorite", name, span)
			default:
				item.Label = p.words.Say("tray.favorite-plain", name)
			}
			items = append(items, item)
		}
	}
	return items
}

// approvals says how many requests of others wait for the person.
func (p *trayPresenter) approvals() []Item {
	n := p.deciding()
	if n == 0 {
		return nil
	}
	return []Item{{ID: "approvals", Label: p.words.Count("tray.approvals", n), Enabled: true, Action: Open{PageApprovals}}}
}

func (p *trayPresenter) deciding() int {
	n := 0
	for _, r := range p.accounts {
		for _, a := range r.snapshot.Approvals {
			if decidable(r.snapshot, a, p.now) {
				p.wake.at(a.Expires())
				n++
			}
		}
	}
	return n
}

func (p *trayPresenter) pending() []Item {
	var items []Item
	add := func(r *roles, id string, text string) {
		items = append(items, Item{ID: "pending:" + r.account.ID + ":" + id, Label: text, Enabled: true, Action: Open{PageRequests}})
	}
	for _, r := range p.accounts {
		for _, o := range r.operations {
			if o.Action != pim.ActionActivate || calledOff(o) {
				continue
			}
			name := p.label(r, short(o.Role, labelLimit))
			if i := slices.IndexFunc(o.Steps, func(s pim.Step) bool { return !s.State.Over() }); i >= 0 && len(o.Steps) > 1 {
				name = p.words.Say("tray.step", name, i+1, len(o.Steps), pim.CleanText(o.Steps[i].Role.Scope.Label(), tipLimit))
			}
			switch o.State {
			case pim.OperationFailed:
				items = append(items, Item{
					ID: "failed:" + o.ID, Enabled: true, Label: p.words.Say("tray.failed", name),
					Action: OpenSheet{r.account.ID, o.Role.Key()},
				})
			case pim.OperationWaiting:
				add(r, o.ID, p.words.Say("tray.waiting", name))
			case pim.OperationScheduled:
				add(r, o.ID, p.scheduled(name, o.Request))
			default:
				add(r, o.ID, p.words.Say("tray.in-progress", name))
			}
		}
		for _, plan := range r.snapshot.Plans {
			if plan.State == pim.PlanAsks {
				items = append(items, Item{
					ID: "plan:" + r.account.ID + ":" + string(plan.Key()), Enabled: true, Action: OpenSheet{r.account.ID, plan.Key()},
					Label: p.words.Say("tray.plan-asks", p.label(r, short(plan.Role, labelLimit))),
				})
			}
		}
		for _, q := range r.pending {
			name := p.label(r, short(q.Role, labelLimit))
			if q.Phase(p.now) == pim.PhaseScheduled {
				add(r, q.ID, p.scheduled(name, &q))
			} else {
				add(r, q.ID, p.words.Say("tray.waiting", name))
			}
		}
	}
	if more := len(items) - trayPending; more > 1 {
		items = append(items[:trayPending], Item{
			ID: "pending:more", Label: p.words.Count("tray.more-requests", more), Enabled: true, Action: Open{PageRequests},
		})
	}
	return items
}

func (p *trayPresenter) scheduled(name string, q *pim.Request) string {
	if q == nil {
		return p.words.Say("tray.in-progress", name)
	}
	p.wake.at(q.EffectiveStart())
	return p.words.Say("tray.scheduled", name, Moment(p.words, q.EffectiveStart(), p.now))
}

type recentOf struct {
	roles  *roles
	recent local.Recent
}

func (p *trayPresenter) recents() []recentOf {
	var all []recentOf
	for _, r := range p.accounts {
		for _, c := range r.recents(p.state) {
			if !r.starred(p.state, c.Role.Key()) {
				all = append(all, recentOf{r, c})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b recentOf) int { return b.recent.Used.Compare(a.recent.Used) })
	return all
}

func (p *trayPresenter) recent() []Item {
	var items []Item
	for _, c := range p.recents() {
		if len(items) == trayRecents {
			break
		}
		key := c.recent.Role.Key()
		name := p.label(c.roles, short(c.recent.Role, labelLimit))
		item := Item{
			ID: "recent:" + c.roles.account.ID + ":" + string(key), Enabled: true,
			Label:  p.words.Say("tray.recent", name, Span(p.words, c.recent.Duration)),
			Action: Activate{c.roles.account.ID, key},
		}
		if !c.roles.oneClick(c.recent, p.now) {
			item.Label = p.words.Say("tray.recent-sheet", name)
			item.Action = OpenSheet{c.roles.account.ID, key}
		}
		if end := c.roles.source(c.recent).End; !end.IsZero() {
			p.wake.at(end.Add(-c.recent.Duration))
		}
		items = append(items, item)
	}
	return items
}

// choice is an eligible role that the tray could offer.
type choice struct {
	roles *roles
	role  pim.Role
	used  time.Time
	scope string
}

// activate is the submenu of eligible roles: the recent ones first, then by kind, scope and name.
func (p *trayPresenter) activate() []Item {
	all := p.choices()
	if len(all) == 0 {
		return nil
	}
	menu := Item{ID: "activate", Label: p.words.Say("tray.activate"), Enabled: true}
	var kind pim.Kind // of the group that the entries are in, none for the recent ones
	for _, c := range fairly(all, trayEligible) {
		key := c.role.Key()
		if c.used.IsZero() && c.role.Kind != kind {
			kind = c.role.Kind
			if len(menu.Children) > 0 {
				menu.Children = append(menu.Children, Item{ID: "eligible-separator:" + string(kind), Separator: true})
			}
		}
		menu.Children = append(menu.Children, Item{
			ID: "eligible:" + c.roles.account.ID + ":" + string(key), Enabled: true,
			Label: p.label(c.roles, short(c.role, labelLimit)) + "…", Action: OpenSheet{c.roles.account.ID, key},
		})
	}
	if len(all) > trayEligible {
		menu.Children = append(menu.Children, Item{ID: "eligible-separator", Separator: true}, Item{
			ID: "eligible-all", Label: p.words.Say("tray.all-eligible", len(all)), Enabled: true, Action: Open{PageRoles},
		})
	}
	return []Item{menu}
}

// choices are all that can be activated, in the order of the menu.
func (p *trayPresenter) choices() []choice {
	used := map[string]time.Time{}
	for _, c := range p.state.Recent {
		used[c.Account+"|"+string(c.Role.Key())] = c.Used
	}
	var all []choice
	for _, r := range p.accounts {
		active := r.inForce()
		for i := range r.snapshot.Eligible {
			e := &r.snapshot.Eligible[i]
			k := e.Role.Key()
			p.wake.at(e.End)
			if _, busy := r.busy[k]; busy || active[k] || ended(e, p.now) {
				continue
			}
			all = append(all, choice{r, e.Role, used[r.account.ID+"|"+string(k)], Fold(e.Role.Scope.Label())})
		}
	}
	slices.SortStableFunc(all, func(a, b choice) int {
		return cmp.Or(
			b.used.Compare(a.used),
			cmp.Compare(kindOrder(a.role.Kind), kindOrder(b.role.Kind)),
			strings.Compare(a.scope, b.scope),
			strings.Compare(Fold(a.role.Name), Fold(b.role.Name)),
		)
	})
	return all
}

// fairly keeps at most limit choices in their order: each kind in turn gives its next one, so
// that no kind crowds out another. Of a kind the recent ones come first.
func fairly(all []choice, limit int) []choice {
	// The turn of a choice is how many of its kind come before it.
	turns, seen := make([]int, len(all)), map[pim.Kind]int{}
	for i, c := range all {
		turns[i] = seen[c.role.Kind]
		seen[c.role.Kind]++
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(turns[a], turns[b]) })
	order = order[:min(limit, len(order))]
	slices.Sort(order)
	kept := make([]choice, len(order))
	for i, at := range order {
		kept[i] = all[at]
	}
	return kept
}

func ended(e *pim.Eligibility, now time.Time) bool { return !e.End.IsZero() && !e.End.After(now) }

func kindOrder(k pim.Kind) int {
	return slices.Index([]pim.Kind{pim.KindAzure, pim.KindDirectory, pim.KindGroup}, k)
}

func (p *trayPresenter) signIn() []Item {
	if p.state.SigningIn {
		return []Item{{ID: "signing-in", Label: p.words.Say("tray.signing-in")}}
	}
	if len(p.accounts) == 0 {
		return []Item{{ID: "sign-in", Label: p.words.Say("tray.sign-in"), Enabled: true, Action: SignIn{}}}
	}
	var items []Item
	for _, r := range p.accounts {
		if r.snapshot.SignIn != nil {
			items = append(items, Item{
				ID: "sign-in:" + r.account.ID, Enabled: true, Action: SignIn{r.account.ID},
				Label: p.words.Say("tray.sign-in-again", pim.CleanText(accountName(r.account), labelLimit)),
			})
		}
	}
	return items
}

// icon picks the most pressing state.
func (p *trayPresenter) icon() Icon {
	if len(p.accounts) == 0 {
		return IconSignedOut
	}
	lead := longestLead(p.state.Settings.Reminders)
	var attention, expiring, active bool
	offline := true
	for _, r := range p.accounts {
		offline = offline && r.offline()
		attention = attention || r.snapshot.SignIn != nil ||
			slices.ContainsFunc(r.operations, func(o pim.Operation) bool { return o.State == pim.OperationFailed && !calledOff(o) })
		for _, a := range r.active {
			active = true
			attention = attention || a.Certainty == pim.Unconfirmed
			if end := a.Assignment.End; !end.IsZero() {
				p.wake.at(end.Add(-lead))
				expiring = expiring || end.Sub(p.now) <= lead
			}
		}
	}
	switch {
	case attention:
		return IconAttention
	case offline:
		return IconOffline
	case expiring:
		return IconExpiring
	case active:
		return IconActive
	}
	return IconIdle
}

func (p *trayPresenter) tooltip() string {
	if len(p.accounts) == 0 {
		return p.words.Say("tooltip.signed-out")
	}
	var lines []string
	offline := true
	for _, r := range p.accounts {
		offline = offline && r.offline()
		if r.snapshot.SignIn != nil {
			lines = append(lines, p.words.Say("tooltip.sign-in-needed"))
		}
	}
	if offline {
		lines = append(lines, p.words.Say("tooltip.offline"))
	}
	var names []string
	for _, r := range p.accounts {
		for _, a := range r.active {
			name := short(a.Assignment.Role, tipLimit)
			switch {
			case a.Certainty == pim.Unconfirmed:
				name = p.words.Say("tray.unconfirmed", name, Moment(p.words, a.UnconfirmedSince, p.now))
			case !a.Assignment.End.IsZero():
				name = p.words.Say("tray.active-until", name, Moment(p.words, a.Assignment.End, p.now))
			}
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		lines = append(lines, p.words.Say("tooltip.nothing-active"))
	}
	for i, name := range names {
		text := strings.Join(append(lines, name), "\n")
		if i > 0 && utf8.RuneCountInString(text) > tooltipLimit {
			lines = append(lines, p.words.Count("tooltip.more", len(names)-i))
			break
		}
		lines = append(lines, name)
	}
	return strings.Join(lines, "\n")
}

func (p *trayPresenter) badge() int {
	n := p.deciding()
	for _, r := range p.accounts {
		if r.snapshot.SignIn != nil {
			n++
		}
		n += len(r.pending)
		for _, plan := range r.snapshot.Plans {
			if plan.State == pim.PlanAsks {
				n++
			}
		}
		for _, o := range r.operations {
			if o.State == pim.OperationWaiting {
				n++
			}
		}
	}
	return n
}
