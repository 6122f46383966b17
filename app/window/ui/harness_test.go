//go:build !nowindow

package ui_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view/viewtest"
	"roletray/app/window/ui"
	"roletray/assets/translations"
	"roletray/pim"
	"roletray/pim/store"
)

// recorder notes what the window asks the agent for and answers as it is told.
type recorder struct {
	mu       sync.Mutex
	calls    []any
	err      error
	activate func(local.ActivateRequest) (local.ActivateAnswer, error)
	history  []local.HistoryEntry
	decide   func(local.DecideRequest) local.DecideAnswer
	children func(local.ChildrenRequest) []pim.Scope
	export   string
	// signIn sees the context of a sign-in or an activation.
	signIn func(context.Context)
}

func (r *recorder) note(call any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
	return r.err
}

func (r *recorder) Refresh(_ context.Context, q local.RefreshRequest) error { return r.note(q) }
func (r *recorder) SignIn(ctx context.Context, q local.SignInRequest) (pim.Account, error) {
	if r.signIn != nil {
		r.signIn(ctx)
	}
	return pim.Account{}, r.note(q)
}
func (r *recorder) SignOut(_ context.Context, q local.SignOutRequest) error { return r.note(q) }
func (r *recorder) Policy(_ context.Context, q local.RoleRequest) (pim.Policy, error) {
	return pim.Policy{}, r.note(q)
}

func (r *recorder) Activate(ctx context.Context, q local.ActivateRequest) (local.ActivateAnswer, error) {
	if r.signIn != nil {
		r.signIn(ctx)
	}
	err := r.note(q)
	if r.activate != nil {
		return r.activate(q)
	}
	if q.Check {
		return local.ActivateAnswer{Findings: make([]pim.Finding, len(q.Wishes))}, err
	}
	return local.ActivateAnswer{}, err
}

// deactivation is a call of Deactivate, which has the same request as Policy.
type deactivation struct{ local.RoleRequest }

func (r *recorder) Deactivate(_ context.Context, q local.RoleRequest) (pim.Operation, error) {
	return pim.Operation{}, r.note(deactivation{q})
}
func (r *recorder) Cancel(_ context.Context, q local.CancelRequest) error  { return r.note(q) }
func (r *recorder) SaveSettings(_ context.Context, s store.Settings) error { return r.note(s) }
func (r *recorder) Decide(_ context.Context, q local.DecideRequest) (local.DecideAnswer, error) {
	err := r.note(q)
	if r.decide != nil {
		return r.decide(q), err
	}
	return local.DecideAnswer{Outcomes: make([]*pim.Problem, len(q.Approvals))}, err
}

func (r *recorder) Continue(_ context.Context, q local.ContinueRequest) (pim.Plan, error) {
	return pim.Plan{}, r.note(q)
}

// dropped is a call of DropPlan, which has the same request as Policy.
type dropped struct{ local.RoleRequest }

func (r *recorder) DropPlan(_ context.Context, q local.RoleRequest) error { return r.note(dropped{q}) }

func (r *recorder) Prolong(_ context.Context, q local.ProlongRequest) (pim.Operation, error) {
	return pim.Operation{}, r.note(q)
}

func (r *recorder) Children(_ context.Context, q local.ChildrenRequest) (local.ChildrenAnswer, error) {
	err := r.note(q)
	if r.children != nil {
		return local.ChildrenAnswer{Scopes: r.children(q)}, err
	}
	return local.ChildrenAnswer{}, err
}

func (r *recorder) SaveFavorites(_ context.Context, q local.FavoritesRequest) error { return r.note(q) }

func (r *recorder) Export(_ context.Context, q local.ExportRequest) (local.ExportAnswer, error) {
	return local.ExportAnswer{Text: r.export}, r.note(q)
}
func (r *recorder) Quit(context.Context) error { return r.note("quit") }
func (r *recorder) History(context.Context, local.HistoryRequest) (local.HistoryAnswer, error) {
	return local.HistoryAnswer{Entries: r.history}, r.err
}

// opened is a window on the test driver. Everything runs on the test's goroutine.
type opened struct {
	*ui.UI
	t      testing.TB
	window fyne.Window
	agent  *recorder
	clock  time.Time
	// first is the state that it was opened with.
	first  *local.State
	wake   time.Duration
	raised int
	// later keeps work back until run, where it is not nil; done is called after each change
	// that work has made to the window.
	later *[]func()
	done  func()
}

// perKind runs a test for each kind of role.
func perKind(t *testing.T, test func(*testing.T, pim.Kind)) {
	for _, kind := range viewtest.Kinds {
		t.Run(string(kind), func(t *testing.T) { test(t, kind) })
	}
}

func demo(kind pim.Kind) *local.State { return viewtest.AllOfKind(kind, viewtest.Demo()) }
func full(kind pim.Kind) *local.State { return viewtest.AllOfKind(kind, viewtest.Full()) }

func historyOf(kind pim.Kind) []local.HistoryEntry {
	all := history()
	for i := range all {
		all[i].Role = viewtest.OfKind(kind, all[i].Role)
	}
	return all
}

func role(kind pim.Kind, name string, s pim.Scope) pim.Role {
	return viewtest.OfKind(kind, viewtest.Role(name, s))
}

type options struct {
	language string
	scale    float32
	size     fyne.Size
}

func open(t testing.TB, state *local.State, o options) *opened {
	t.Helper()
	if o.size.IsZero() {
		o.size = fyne.NewSize(800, 600)
	}
	app := test.NewTempApp(t)
	w, err := translations.For(o.language)
	if err != nil {
		t.Fatal(err)
	}
	u := &opened{t: t, first: state, agent: &recorder{}, clock: viewtest.Now, window: app.NewWindow("Roletray")}
	u.window.SetPadded(false)
	u.window.Resize(o.size)
	u.UI = ui.New(ui.Params{
		App: app, Window: u.window, Agent: func() (ui.Agent, error) { return u.agent, nil }, Words: w, Build: "test", TextScale: o.scale,
		Work: func(f func(context.Context)) {
			if u.later != nil {
				*u.later = append(*u.later, func() { f(context.Background()) })
				return
			}
			f(context.Background())
		},
		Do: func(f func()) {
			if f(); u.done != nil {
				u.done()
			}
		},
		Clock: func() time.Time { return u.clock },
		Wake:  func(d time.Duration) { u.wake = d },
	})
	u.window.Resize(o.size)
	u.window.Show()
	t.Cleanup(u.window.Close)
	if state != nil {
		u.Deliver(state)
	}
	return u
}

// hold keeps back what the window would do in the background.
func (u *opened) hold() { u.later = new([]func()) }

// run does what was kept back, and what that begins.
func (u *opened) run() {
	all := *u.later
	u.later = nil
	for _, f := range all {
		f()
	}
}

// placed is an object with where it is on the window.
type placed struct {
	object fyne.CanvasObject
	at     fyne.Position
	// clip is the part of the window that shows the object.
	from, to fyne.Position
	parent   string
}

// walk visits every visible object of what is on top: the sheet where one is open.
func (u *opened) walk(visit func(placed)) {
	top := u.window.Content()
	if o := u.window.Canvas().Overlays().Top(); o != nil {
		top = o
	}
	size := u.window.Canvas().Size()
	walk(placed{object: top, at: top.Position(), to: fyne.NewPos(size.Width, size.Height), parent: "window"}, visit)
}

func walk(p placed, visit func(placed)) {
	if !p.object.Visible() {
		return
	}
	visit(p)
	var children []fyne.CanvasObject
	switch o := p.object.(type) {
	case *fyne.Container:
		children = o.Objects
	case fyne.Widget:
		children = test.WidgetRenderer(o).Objects()
	}
	for _, c := range children {
		walk(placed{object: c, at: p.at.Add(c.Position()), from: p.at, to: p.at.Add(p.object.Size()), parent: kindOf(p.object)}, visit)
	}
}

func (u *opened) texts() []string {
	var out []string
	u.walk(func(p placed) {
		switch o := p.object.(type) {
		case *canvas.Text:
			if o.Text != "" {
				out = append(out, o.Text)
			}
		case *widget.Label:
			if o.Text != "" {
				out = append(out, o.Text)
			}
		case interface{ FullText() string }:
			if o.FullText() != "" {
				out = append(out, o.FullText())
			}
		}
	})
	return out
}

func (u *opened) has(text string) bool {
	return slices.ContainsFunc(u.texts(), func(s string) bool { return strings.Contains(s, text) })
}

func (u *opened) want(texts ...string) {
	u.t.Helper()
	for _, text := range texts {
		if !u.has(text) {
			u.t.Errorf("%q is not shown; there is %q", text, u.texts())
		}
	}
}

func (u *opened) tap(text string) {
	u.t.Helper()
	if !u.tapIn(text, "") {
		u.t.Fatalf("no button %q; there is %q", text, u.texts())
	}
}

// tapIn taps the first enabled button with that text, in a row whose texts contain another.
func (u *opened) tapIn(text, row string) bool {
	var found fyne.Tappable
	u.walk(func(p placed) {
		if found != nil {
			return
		}
		b, ok := p.object.(interface {
			fyne.Tappable
			fyne.Disableable
			fyne.Widget
		})
		if !ok || b.Disabled() {
			return
		}
		matches := false
		walk(placed{object: b}, func(q placed) {
			if l, ok := q.object.(*canvas.Text); ok && l.Text == text {
				matches = true
			}
		})
		if matches && (row == "" || u.inRow(p, row)) {
			found = b
		}
	})
	if found == nil {
		return false
	}
	found.Tapped(&fyne.PointEvent{})
	return true
}

// inRow says whether a text stands at the height of an object.
func (u *opened) inRow(p placed, text string) bool {
	in := false
	u.walk(func(q placed) {
		if l, ok := q.object.(interface{ FullText() string }); ok && strings.Contains(l.FullText(), text) && q.at.Y+q.object.Size().Height > p.at.Y && q.at.Y < p.at.Y+p.object.Size().Height {
			in = true
		}
	})
	return in
}

func (u *opened) key(name fyne.KeyName) {
	ev := &fyne.KeyEvent{Name: name}
	if f := u.window.Canvas().Focused(); f != nil {
		f.TypedKey(ev)
		return
	}
	if f := u.window.Canvas().OnTypedKey(); f != nil {
		f(ev)
	}
}

func kindOf(o fyne.CanvasObject) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.ReplaceAll(typeName(o), "*", ""), "widget."), "ui.")
}
