//go:build !nowindow

package ui

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	wtheme "roletray/app/window/theme"
	"roletray/pim"
	"roletray/pim/store"
)

// Params are what a window needs.
type Params struct {
	App    fyne.App
	Window fyne.Window
	// Agent is whichever agent answers now, or why there is none. It is called from
	// any goroutine.
	Agent func() (Agent, error)
	Words view.Words
	// Build is the window's version, to compare with the agent's.
	Build string
	// Work runs f away from the goroutine of the user interface. The context ends with
	// the window.
	Work func(f func(context.Context))
	// Do runs f on the goroutine of the user interface, perhaps later.
	Do func(f func())
	// Clock is the computer's clock.
	Clock func() time.Time
	// Wake asks for a call of Tick after d; a new call replaces the one before.
	Wake func(d time.Duration)
	// TextScale enlarges all text; zero leaves it as it is.
	TextScale float32
}

// UI is the content of the window. Its methods are for the goroutine of the user
// interface, but for Deliver.
type UI struct {
	p Params

	// latest is the newest state that has arrived, shown when its turn comes.
	latest  atomic.Pointer[arrival]
	pending atomic.Bool

	state    *local.State
	received time.Time
	look     view.Look
	page     view.Page
	raised   int
	started  bool

	// presenting says that a view is being made, stale that it is outdated already.
	presenting, stale bool
	shown             view.Window

	appearance store.Appearance
	lost       bool
	failures   []failure

	policies  *policyReader
	rail      *rail
	header    *header
	banners   *bannerList
	roles     *rolesPage
	requests  *listPage
	approvals *approvalsPage
	history   *historyPage
	settings  *settingsPage
	body      *fyne.Container
	root      *fyne.Container
	// sheet is the drawer that is shown, and beneath are those that it was opened over.
	sheet   drawer
	beneath []drawer
	// opened has the sheet's fields as they were before the person changed any.
	opened string
	// signInPage is over the sheet, or nil.
	signInPage *signInPage
}

type arrival struct {
	state *local.State
	at    time.Time
}

// failure is something that was asked for and went wrong, until it is dismissed.
type failure struct {
	id      int
	problem pim.Problem
}

// New fills the window. It shows that it is connecting until Deliver is called.
func New(p Params) *UI {
	u := &UI{p: p, page: view.PageRoles}
	u.look.Seconds = true
	u.applyTheme()
	u.policies = &policyReader{ui: u, asked: map[local.RoleRequest]bool{}}
	u.rail = newRail(u)
	u.header = newHeader(u)
	u.banners = newBannerList(u)
	u.makePages("")
	p.App.Settings().AddListener(func(fyne.Settings) { u.makePages(u.page) })
	u.body = container.NewStack()
	top := container.NewVBox(u.header.object, u.banners.box)
	u.root = container.NewBorder(nil, nil, u.rail.object, nil, padded(10, 0, 14, 4, container.NewBorder(top, nil, nil, nil, u.body)))
	p.Window.SetContent(u.root)
	u.addShortcuts()
	u.Show(view.PageRoles)
	u.update()
	return u
}

// makePages makes the pages, but for the one that is shown. When the colours change they are made
// anew, since Fyne repaints only what is on the screen.
func (u *UI) makePages(shown view.Page) {
	if shown != view.PageRoles {
		u.roles = newRolesPage(u)
	}
	if shown != view.PageRequests {
		u.requests = newListPage(u)
	}
	if shown != view.PageApprovals {
		u.approvals = newApprovalsPage(u)
	}
	if shown != view.PageHistory {
		u.history = newHistoryPage(u)
	}
	if shown != view.PageSettings {
		u.settings = newSettingsPage(u)
		if u.state != nil {
			u.settings.set(u.state)
		}
	}
}

func (u *UI) applyTheme() {
	u.p.App.Settings().SetTheme(wtheme.Theme{Appearance: u.appearance, TextScale: u.p.TextScale})
}

// Deliver hands over a new state. It may be called from any goroutine; a burst of
// states costs one repaint.
func (u *UI) Deliver(state *local.State) {
	u.latest.Store(&arrival{state, u.p.Clock()})
	if u.pending.CompareAndSwap(false, true) {
		u.p.Do(func() {
			u.pending.Store(false)
			u.take(u.latest.Load())
		})
	}
}

func (u *UI) take(a *arrival) {
	u.state, u.received, u.lost = a.state, a.at, false
	if u.appearance != a.state.Settings.Appearance {
		u.appearance = a.state.Settings.Appearance
		u.applyTheme()
	}
	u.followRaise()
	u.settings.set(a.state)
	u.setSheet()
	u.update()
}

// followRaise does what the newest ask for the window was for, once.
func (u *UI) followRaise() {
	s := u.state
	if u.started && s.Raise <= u.raised {
		return
	}
	again := u.started
	u.started, u.raised = true, s.Raise
	if again {
		u.p.Window.Show()
		u.p.Window.RequestFocus()
	}
	if s.Page != "" {
		u.Show(view.Page(s.Page))
	}
	if q := s.Sheet; q != nil {
		u.Show(view.PageRoles)
		u.act(sheetAction(*q))
	}
}

// sheetAction is what a row would offer to open the same sheet.
func sheetAction(q local.Sheet) view.Action {
	switch {
	case q.Favorite != "":
		return view.OpenFavorite{Account: q.Account, Favorite: q.Favorite}
	case q.Continues:
		return view.OpenContinue{Account: q.Account, Key: q.Key}
	}
	return view.OpenAgain{Account: q.Account, Key: q.Key}
}

// Lost says that the agent has ended.
func (u *UI) Lost() {
	u.lost = true
	u.update()
}

// SetForeground says whether the person is at the window. Elsewhere nobody needs
// seconds.
func (u *UI) SetForeground(is bool) {
	u.look.Seconds = is
	u.update()
}

// Tick shows what time has changed.
func (u *UI) Tick() {
	u.update()
	if u.sheet != nil {
		u.sheet.tick()
	}
}

// now is the agent's time, which passes at the agent's speed.
func (u *UI) now() time.Time {
	if u.state == nil || u.state.Now.IsZero() {
		return u.p.Clock()
	}
	return u.state.Now.Add(time.Duration(float64(u.p.Clock().Sub(u.received)) * u.speed())).Local()
}

func (u *UI) speed() float64 {
	if u.state == nil || u.state.Speed <= 0 {
		return 1
	}
	return u.state.Speed
}

// update makes a view off this goroutine and applies it. While one is being made
// another is only noted.
func (u *UI) update() {
	if u.presenting {
		u.stale = true
		return
	}
	u.presenting = true
	state, look, now := u.state, u.look, u.now()
	u.p.Work(func(context.Context) {
		v := view.PresentWindow(state, now, u.p.Words, look)
		u.p.Do(func() {
			u.presenting = false
			u.apply(v, now)
			if u.stale {
				u.stale = false
				u.update()
			}
		})
	})
}

func (u *UI) apply(v view.Window, now time.Time) {
	u.shown = v
	u.header.set(v.Header)
	u.rail.setBadge(view.PageRequests, v.Header.Waiting)
	u.rail.setBadge(view.PageApprovals, v.Header.Deciding)
	u.showBanners()
	u.fill()
	if !v.Next.IsZero() {
		// A demo's clock may run so fast that each of its seconds is not worth a repaint.
		u.p.Wake(max(time.Duration(float64(v.Next.Sub(now))/u.speed()), time.Second/4))
	}
}

// fill puts what is known into the page that is shown.
func (u *UI) fill() {
	switch u.page {
	case view.PageRoles:
		u.roles.set(u.shown)
	case view.PageRequests:
		u.requests.set(u.shown.Requests, u.shown.RequestsEmpty)
	case view.PageApprovals:
		u.approvals.set(u.shown)
	case view.PageHistory:
		u.history.update()
	case view.PageSettings:
	}
}

func (u *UI) allBanners(v view.Window) []view.Banner {
	var out []view.Banner
	w := u.p.Words
	if u.lost {
		out = append(out, view.Banner{ID: "lost", Tone: view.ToneBad, Text: w.Say("banner.lost")})
	} else if u.state != nil && u.state.Build != u.p.Build {
		out = append(out, view.Banner{ID: "build", Tone: view.ToneWarning, Text: w.Say("banner.build")})
	}
	for _, f := range u.failures {
		out = append(out, view.Banner{
			ID: failureID(f.id), Tone: view.ToneBad, Text: f.problem.Text, Details: f.problem.Details,
			Verb: w.Say("verb.dismiss"), Action: dismiss{id: f.id},
		})
	}
	return append(out, v.Banners...)
}

// Show changes the page.
func (u *UI) Show(page view.Page) {
	u.page = page
	var content fyne.CanvasObject
	switch page {
	case view.PageRequests:
		content = u.requests.object
	case view.PageApprovals:
		content = u.approvals.object
	case view.PageHistory:
		content = u.history.object
		u.history.load()
	case view.PageSettings:
		content = u.settings.object
	default:
		u.page, content = view.PageRoles, u.roles.object
	}
	u.rail.set(u.page)
	setVisible(u.header.object, u.page != view.PageSettings)
	u.body.Objects = []fyne.CanvasObject{content}
	u.body.Refresh()
	u.fill()
	relayout(u.root)
	u.focusSearch()
}

func (u *UI) focusSearch() {
	if u.page != view.PageSettings && u.sheet == nil {
		u.p.Window.Canvas().Focus(u.header.search)
	}
}

// do runs what the agent is asked for away from this goroutine, and shows it where it fails.
func (u *UI) do(call func(context.Context, Agent) error, then func(error)) {
	var page *signInPage // only used on this goroutine, that of the user interface
	u.p.Work(func(ctx context.Context) {
		agent, err := u.p.Agent()
		if err == nil {
			err = call(pim.WithSignInPage(ctx, func(p pim.Page) bool {
				if p.Unseen {
					return false // Its browser is before the person, as far as can be known.
				}
				u.p.Do(func() {
					page = u.newSignInPage(p.URL)
					u.showSignInPage(page)
				})
				return true
			}), agent)
		}
		u.p.Do(func() {
			if page != nil && u.signInPage == page {
				u.closeSignInPage()
			}
			if then != nil {
				then(err)
			} else if err != nil {
				u.fail(err)
			}
		})
	})
}

// begin is do for a call that the person may call off, by what it returns.
func (u *UI) begin(call func(context.Context, Agent) error, then func(error)) context.CancelFunc {
	ended, cancel := context.WithCancel(context.Background())
	u.do(func(ctx context.Context, agent Agent) error {
		if err := ended.Err(); err != nil {
			return err
		}
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(ended, stop)()
		return call(ctx, agent)
	}, then)
	return cancel
}

// problem says an error of the agent in words.
func (u *UI) problem(err error) pim.Problem {
	p := *local.ProblemOf(err)
	if errors.Is(err, local.ErrNoAgent) || errors.Is(err, local.ErrLost) {
		p.Text = u.p.Words.Say("banner.lost")
	}
	return p
}

func (u *UI) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	p := u.problem(err)
	id := 1
	if n := len(u.failures); n > 0 {
		id = u.failures[n-1].id + 1
	}
	u.failures = append(u.failures, failure{id, p})
	if len(u.failures) > 2 {
		u.failures = u.failures[1:]
	}
	u.showBanners()
}

func (u *UI) showBanners() {
	if u.banners.set(u.allBanners(u.shown)) {
		relayout(u.root)
	}
}

// act does what a row or a banner offers.
func (u *UI) act(action view.Action) {
	switch a := action.(type) {
	case view.Activate:
		u.activateRecent(a)
	case view.OpenSheet:
		u.openSheet(a.Account, []pim.Key{a.Key}, view.Filled{})
	case view.Deactivate:
		u.do(func(ctx context.Context, agent Agent) error {
			o, err := agent.Deactivate(ctx, local.RoleRequest{Account: a.Account, Key: a.Key})
			if err == nil && o.Problem != nil {
				err = &local.Error{Problem: *o.Problem}
			}
			return err
		}, nil)
	case view.CancelRequest:
		u.do(func(ctx context.Context, agent Agent) error {
			return agent.Cancel(ctx, local.CancelRequest{Account: a.Account, Request: a.Request})
		}, nil)
	case view.SignIn:
		u.do(func(ctx context.Context, agent Agent) error {
			_, err := agent.SignIn(ctx, local.SignInRequest{Account: a.Account})
			return err
		}, nil)
	case view.Open:
		u.Show(a.Page)
	case view.CopyText:
		u.copyText(a.Text)
	case dismiss:
		u.dismiss(a.id)
	default:
		u.actOnward(action)
	}
}

// actOnward does what is about the end of a role, a decision or a favourite.
func (u *UI) actOnward(action view.Action) {
	switch a := action.(type) {
	case view.OpenAgain:
		u.openAgain(a.Account, a.Key)
	case view.OpenWider:
		u.openLike(a.Account, a.Key, a.Operation, a.Scope)
	case view.OpenRetry:
		u.openLike(a.Account, a.Key, a.Operation, pim.Scope{})
	case view.Continue:
		u.do(func(ctx context.Context, agent Agent) error {
			_, err := agent.Continue(ctx, local.ContinueRequest{Account: a.Account, Key: a.Key})
			return err
		}, nil)
	case view.OpenContinue:
		u.openContinue(a.Account, a.Key)
	case view.DropPlan:
		u.do(func(ctx context.Context, agent Agent) error {
			return agent.DropPlan(ctx, local.RoleRequest{Account: a.Account, Key: a.Key})
		}, nil)
	case view.OpenProlong:
		u.openProlong(a)
	case view.OpenDecision:
		u.openDecision(a.Account, []view.OpenDecision{a})
	case view.Star:
		u.star(a)
	case view.ActivateFavorite:
		u.activateFavorite(a)
	case view.OpenFavorite:
		u.openFavorite(a)
	case view.EditFavorite:
		u.editFavorite(a)
	case view.MoveFavorite:
		u.moveFavorite(a)
	case view.RemoveFavorite:
		u.removeFavorite(a)
	}
}

func (u *UI) activateRecent(a view.Activate) {
	for _, c := range u.state.Recent {
		if c.Account != a.Account || c.Role.Key() != a.Key {
			continue
		}
		wish := local.Wish{Key: a.Key, Duration: c.Duration, Justification: c.Justification, Ticket: c.Ticket}
		u.do(func(ctx context.Context, agent Agent) error {
			_, err := agent.Activate(ctx, local.ActivateRequest{Account: a.Account, Wishes: []local.Wish{wish}})
			return err // a refusal shows as the row's operation
		}, nil)
		return
	}
	u.openSheet(a.Account, []pim.Key{a.Key}, view.Filled{})
}

// openLike opens the sheet of a role at a scope with what an operation was sent with, as far as
// the history tells.
func (u *UI) openLike(account string, key pim.Key, operation string, scope pim.Scope) {
	answers := view.Filled{Scope: scope}
	u.do(func(ctx context.Context, agent Agent) error {
		found, err := agent.History(ctx, local.HistoryRequest{Account: account, Search: operation})
		for _, e := range found.Entries {
			if e.ID == operation {
				answers.Duration, answers.Start, answers.Justification, answers.Ticket = e.Duration, e.Start, e.Justification, e.Ticket
			}
		}
		return err
	}, func(err error) {
		if err != nil {
			u.fail(err)
		}
		u.openSheet(account, []pim.Key{key}, answers)
	})
}

func (u *UI) dismiss(id int) {
	for i, f := range u.failures {
		if f.id == id {
			u.failures = append(u.failures[:i:i], u.failures[i+1:]...)
			break
		}
	}
	u.showBanners()
}

func (u *UI) refresh() {
	account := u.shown.Header.Account
	u.do(func(ctx context.Context, agent Agent) error {
		return agent.Refresh(ctx, local.RefreshRequest{Account: account})
	}, nil)
	if u.page == view.PageHistory {
		u.history.load()
	}
}

func (u *UI) copyText(text string) { u.p.App.Clipboard().SetContent(text) }

// activity is a small sign that something is under way. It moves only while it is shown.
func showActivity(a *widget.Activity, busy bool) {
	if busy == a.Visible() {
		return
	}
	if busy {
		a.Show()
		a.Start()
	} else {
		a.Stop()
		a.Hide()
	}
}

// emptyState stands in for a list.
type emptyState struct {
	ui       *UI
	object   *fyne.Container
	title    *widget.Label
	text     *widget.Label
	button   *button
	activity *widget.Activity
	action   view.Action
	shown    *view.Empty
}

func newEmptyState(u *UI) *emptyState {
	e := &emptyState{ui: u, title: bold(wrapped("")), text: wrapped(""), activity: widget.NewActivity()}
	e.title.Alignment, e.text.Alignment = fyne.TextAlignCenter, fyne.TextAlignCenter
	e.title.SizeName = theme.SizeNameSubHeadingText
	e.text.Importance = widget.LowImportance
	e.activity.Hide()
	e.button = newButton(u, "", nil, func() { u.act(e.action) })
	box := container.NewVBox(container.NewCenter(e.activity), e.title, e.text, spacer(6), container.NewCenter(e.button))
	e.object = container.New(centred{420}, box)
	e.object.Hide()
	return e
}

// set says whether anything differs.
func (e *emptyState) set(v *view.Empty) bool {
	if v == e.shown || v != nil && e.shown != nil && *v == *e.shown {
		return false
	}
	e.shown = v
	setVisible(e.object, v != nil)
	showActivity(e.activity, v != nil && v.Busy)
	if v == nil {
		return true
	}
	setLabel(e.title, v.Title, widget.MediumImportance)
	setLabel(e.text, v.Text, widget.LowImportance)
	e.action = v.Action
	e.button.set(v.Verb, v.Action != nil, widget.HighImportance)
	setVisible(e.button, v.Verb != "")
	return true
}

// centred puts its only object in the middle, no wider than a number of pixels at the plain text size.
type centred struct{ width float32 }

func (centred) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(120, objects[0].MinSize().Height)
}

func (c centred) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(c.width*textScale(), size.Width)
	o := objects[0]
	o.Resize(fyne.NewSize(width, min(o.MinSize().Height, size.Height)))
	height := min(o.MinSize().Height, size.Height) // text wraps at the width that it has now
	o.Resize(fyne.NewSize(width, height))
	o.Move(fyne.NewPos((size.Width-width)/2, max((size.Height-height)*0.4, 0)))
}
