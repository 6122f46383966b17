//go:build !nowindow

package ui

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/store"
)

// settingsPage shows and saves the settings, each change at once.
type settingsPage struct {
	ui     *UI
	object fyne.CanvasObject
	shown  store.Settings
	filled bool

	leads      map[time.Duration]*check
	duration   *choice
	durations  []time.Duration
	appearance *widget.RadioGroup
	closing    *widget.RadioGroup
	accounts   *fyne.Container
	accountIDs []string
	notices    *fyne.Container
	noticeList []local.Notice
	forget     *check
	readOnly   *check
	weak       *check
	about      *widget.Label
}

func newSettingsPage(u *UI) *settingsPage {
	w := u.p.Words
	p := &settingsPage{
		ui: u, leads: map[time.Duration]*check{},
		durations: []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour},
		accounts:  container.NewVBox(), notices: container.NewVBox(), about: caption(""),
	}
	leads := container.New(&flow{gap: 2})
	for _, d := range []time.Duration{time.Hour, 30 * time.Minute, 15 * time.Minute, 10 * time.Minute, 5 * time.Minute, time.Minute} {
		c := newCheck(u, view.Span(w, d), func(bool) { p.save() })
		p.leads[d] = c
		leads.Add(c)
	}
	var labels []string
	for _, d := range p.durations {
		labels = append(labels, view.Span(w, d))
	}
	p.duration = newChoice(u, labels, func(string) { p.save() })
	p.appearance = newRadio([]string{w.Say("settings.system"), w.Say("settings.light"), w.Say("settings.dark")}, func(string) { p.save() })
	p.appearance.Horizontal = true
	p.closing = newRadio([]string{w.Say("settings.close-keeps"), w.Say("settings.close-ends")}, func(string) { p.save() })
	p.forget = newCheck(u, w.Say("settings.forget"), nil)
	p.readOnly = newCheck(u, w.Say("settings.read-only"), func(bool) { p.save() })
	p.weak = newCheck(u, w.Say("settings.weak"), func(bool) { p.save() })
	signIn := newButton(u, w.Say("verb.sign-in-another"), theme.LoginIcon(), func() { u.act(view.SignIn{}) })

	p.object = container.NewBorder(heading(w.Say("page.settings")), nil, nil, nil, container.NewVScroll(padded(0, 12, 0, 12, container.NewVBox(
		section(w.Say("settings.accounts"), "", p.accounts, container.NewHBox(signIn), p.forget),
		section(w.Say("settings.reminders"), w.Say("settings.reminders-text"), leads),
		section(w.Say("settings.duration"), w.Say("settings.duration-text"), container.NewHBox(fixedWidth(180, p.duration))),
		section(w.Say("settings.reasons"), "", p.weak),
		section(w.Say("settings.appearance"), "", p.appearance),
		section(w.Say("settings.closing"), "", p.closing),
		section(w.Say("settings.command-line"), "", p.readOnly),
		section(w.Say("settings.computer"), "", p.notices, p.about),
	))))
	return p
}

// section is a titled group of settings.
func section(title, text string, content ...fyne.CanvasObject) fyne.CanvasObject {
	head := []fyne.CanvasObject{bold(wrapped(title))}
	if text != "" {
		l := wrapped(text)
		l.Importance = widget.LowImportance
		l.SizeName = theme.SizeNameCaptionText
		head = append(head, l)
	}
	box := container.NewVBox(container.New(tight{}, head...))
	for _, c := range content {
		box.Add(padded(0, 0, 4, 4, c))
	}
	return padded(0, 8, 0, 0, card(padded(6, 8, 8, 8, box)))
}

// set shows the settings of a state. What the person has just changed arrives here again
// and changes nothing.
func (p *settingsPage) set(state *local.State) {
	w := p.ui.p.Words
	s := state.Settings
	if !p.filled || !sameSettings(p.shown, s) {
		p.filled = false // so that nothing is saved meanwhile
		p.shown = s
		for d, c := range p.leads {
			c.show(slices.Contains(s.Reminders, d))
		}
		p.duration.Options = p.durationLabels(s.Duration)
		p.duration.SetSelected(view.Span(w, s.Duration))
		p.appearance.SetSelected(p.appearance.Options[appearanceIndex(s.Appearance)])
		closing := 0
		if s.CloseEndsAgent {
			closing = 1
		}
		p.closing.SetSelected(p.closing.Options[closing])
		p.readOnly.show(s.CommandLineReads)
		p.weak.show(s.RefuseWeakReasons)
		p.filled = true
	}
	p.setAccounts(state)
	p.setNotices(state)
	if p.ui.page == view.PageSettings {
		relayout(p.object)
	}
}

func sameSettings(a, b store.Settings) bool {
	return slices.Equal(a.Reminders, b.Reminders) && a.CommandLineReads == b.CommandLineReads && a.RefuseWeakReasons == b.RefuseWeakReasons && a.Duration == b.Duration && a.CloseEndsAgent == b.CloseEndsAgent && a.Appearance == b.Appearance
}

func (p *settingsPage) durationLabels(current time.Duration) []string {
	if !slices.Contains(p.durations, current) && current > 0 {
		p.durations = append(p.durations, current)
		slices.Sort(p.durations)
	}
	var labels []string
	for _, d := range p.durations {
		labels = append(labels, view.Span(p.ui.p.Words, d))
	}
	return labels
}

func appearanceIndex(a store.Appearance) int {
	return max(slices.Index([]store.Appearance{store.AppearanceSystem, store.AppearanceLight, store.AppearanceDark}, a), 0)
}

// save sends what is shown. Reminders that have no box of their own are kept.
func (p *settingsPage) save() {
	if !p.filled {
		return
	}
	s := p.shown
	s.Reminders = slices.DeleteFunc(slices.Clone(s.Reminders), func(d time.Duration) bool { return p.leads[d] != nil })
	for d, c := range p.leads {
		if c.Checked {
			s.Reminders = append(s.Reminders, d)
		}
	}
	slices.SortFunc(s.Reminders, func(a, b time.Duration) int { return int(b/time.Second - a/time.Second) })
	if i := p.duration.SelectedIndex(); i >= 0 {
		s.Duration = p.durations[i]
	}
	s.Appearance = []store.Appearance{store.AppearanceSystem, store.AppearanceLight, store.AppearanceDark}[max(slices.Index(p.appearance.Options, p.appearance.Selected), 0)]
	s.CommandLineReads = p.readOnly.Checked
	s.RefuseWeakReasons = p.weak.Checked
	s.CloseEndsAgent = p.closing.Selected == p.closing.Options[1]
	if sameSettings(s, p.shown) {
		return
	}
	before := p.shown
	p.shown = s
	p.ui.do(func(ctx context.Context, agent Agent) error { return agent.SaveSettings(ctx, s) }, func(err error) {
		if err != nil {
			p.shown = before
			p.ui.fail(err)
			if p.ui.state != nil {
				p.filled = false
				p.set(p.ui.state)
			}
		}
	})
}

func (p *settingsPage) setAccounts(state *local.State) {
	var ids []string
	for _, a := range state.Accounts {
		ids = append(ids, a.Account.ID)
	}
	if slices.Equal(ids, p.accountIDs) && len(p.accounts.Objects) > 0 {
		return
	}
	p.accountIDs = ids
	p.accounts.RemoveAll()
	w := p.ui.p.Words
	for _, a := range state.Accounts {
		id := a.Account.ID
		out := newButton(p.ui, w.Say("verb.sign-out"), theme.LogoutIcon(), func() { p.ui.signOut(id, p.forget.Checked) })
		name := oneLine(pim.CleanText(a.Account.Username, 200))
		who := caption(pim.CleanText(a.Account.Name+" · "+w.Say("settings.tenant", a.Account.TenantID), 300))
		p.accounts.Add(container.NewBorder(nil, nil, nil, container.NewCenter(out), container.New(tight{}, name, who)))
	}
	if len(state.Accounts) == 0 {
		p.accounts.Add(wrapped(w.Say("settings.no-account")))
	}
	setVisible(p.forget, len(state.Accounts) > 0)
}

func (p *settingsPage) setNotices(state *local.State) {
	w := p.ui.p.Words
	p.about.SetText(w.Say("settings.about", p.ui.p.Build, state.Build))
	if slices.Equal(state.Notices, p.noticeList) && len(p.notices.Objects) > 0 {
		return
	}
	p.noticeList = state.Notices
	p.notices.RemoveAll()
	add := func(text string, weight widget.Importance) {
		l := wrapped(text)
		l.Importance = weight
		p.notices.Add(container.New(tight{}, l))
	}
	if state.TrayHosted {
		add(w.Say("settings.tray"), widget.MediumImportance)
	} else {
		add(w.Say("settings.no-tray"), widget.WarningImportance)
	}
	for _, n := range state.Notices {
		add(n.Text, widget.WarningImportance)
	}
}
