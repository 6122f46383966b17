//go:build !nowindow

package ui

import (
	"context"
	"errors"
	"image/color"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// scopePicker chooses scopes below that of an eligibility from a tree that is read level by
// level: Right opens a scope, Left closes it, Space chooses it. While a search text stands,
// the levels that nobody has opened are read as well.
type scopePicker struct {
	ui      *UI
	account string
	key     pim.Key
	object  fyne.CanvasObject
	search  *entry
	list    *scopeList
	said    *widget.Label
	picked  *widget.Label
	root    *scopeNode
	visible []*scopeNode
	chosen  []pim.Scope
	changed func()
	hunt    hunt
}

// hunt is the reading of the levels that a search goes through.
type hunt struct {
	// running says that it is under way, done that it has been everywhere, and callOff ends it.
	running, done bool
	callOff       context.CancelFunc
	// number tells this reading from an earlier one that has yet to end.
	number int
	level  local.Level
	// ended is in words why it stopped, and failed says that it was no bound.
	ended  string
	failed bool
}

// scopeNode is a scope with what lies below it, as far as that was read.
type scopeNode struct {
	scope    pim.Scope
	depth    int
	parent   *scopeNode
	children []*scopeNode
	open     bool
	read     bool
	reading  bool
	problem  string
	// folded is the name as it is searched.
	folded string
}

func newScopeNode(s pim.Scope, parent *scopeNode) *scopeNode {
	return &scopeNode{scope: s, depth: parent.depth + 1, parent: parent, folded: view.Fold(s.Label())}
}

// take takes over the level below a scope.
func (n *scopeNode) take(scopes []pim.Scope) {
	if n.read {
		return
	}
	n.read, n.problem = true, ""
	for _, s := range scopes {
		n.children = append(n.children, newScopeNode(s, n))
	}
}

func newScopePicker(u *UI, account string, key pim.Key, top pim.Scope, changed func()) *scopePicker {
	p := &scopePicker{ui: u, account: account, key: key, root: &scopeNode{scope: top, depth: -1, open: true}, said: caption(""), picked: caption(""), changed: changed}
	p.search = newEntry(u, u.p.Words.Say("scope.search"))
	p.search.OnChanged = func(string) { p.searched(false) }
	p.search.OnSubmitted = func(string) { p.searched(true) }
	p.list = newScopeList(p)
	p.search.onKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyDown {
			u.p.Window.Canvas().Focus(p.list)
			return true
		}
		return false
	}
	p.object = container.NewBorder(p.search, container.New(tight{}, p.said, p.picked), nil, nil, container.New(high{150}, p.list))
	return p
}

// high has a height of its own, in units of the plain text size.
type high struct{ height float32 }

func (l high) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width, l.height*textScale())
}

func (high) Layout(o []fyne.CanvasObject, s fyne.Size) { o[0].Resize(s) }

// load reads the level below a scope, once.
func (p *scopePicker) load(n *scopeNode) {
	if n.read || n.reading {
		return
	}
	n.reading, n.problem = true, ""
	p.show()
	req := local.ChildrenRequest{Account: p.account, Key: p.key, Scope: n.scope}
	var answer local.ChildrenAnswer
	p.ui.do(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.Children(ctx, req)
		return err
	}, func(err error) {
		n.reading = false
		if err != nil {
			n.problem = p.ui.problem(err).Text
		} else {
			n.take(answer.Scopes)
		}
		p.show()
	})
}

// show lists what is open, or what matches the search with what it lies in.
func (p *scopePicker) show() {
	w := p.ui.p.Words
	query := p.query()
	under := p.list.under()
	p.visible = nil
	var walk func(*scopeNode)
	walk = func(n *scopeNode) {
		for _, c := range n.children {
			if query == "" || n.matchesBelow(c, query) {
				p.visible = append(p.visible, c)
			}
			if c.open || query != "" {
				walk(c)
			}
		}
	}
	walk(p.root)
	text := ""
	problem := p.failed(p.root)
	if p.hunt.failed && query != "" {
		problem = p.hunt.ended
	}
	switch {
	case problem != "":
		text = problem
	case p.hunt.running:
		text = p.huntText()
	case p.hunt.ended != "" && query != "":
		text = p.hunt.ended
	case p.reads(p.root):
		text = w.Say("scope.loading")
	case p.root.read && len(p.root.children) == 0:
		text = w.Say("scope.none")
	case len(p.visible) == 0:
		text = w.Say("scope.no-match")
	}
	if len(p.chosen) > 0 {
		var names []string
		for _, s := range p.chosen {
			names = append(names, s.Label())
		}
		setLabel(p.picked, w.Count("scope.chosen", len(p.chosen))+": "+pim.CleanText(strings.Join(names, ", "), 200), widget.LowImportance)
	}
	setVisible(p.picked, len(p.chosen) > 0)
	setVisible(p.said, text != "" || len(p.chosen) == 0)
	weight := widget.LowImportance
	if problem != "" {
		weight = widget.DangerImportance
	}
	setLabel(p.said, text, weight)
	p.list.Refresh()
	p.list.keep(under)
}

func (p *scopePicker) query() string { return view.Fold(strings.TrimSpace(p.search.Text)) }

// searched follows the search text: the levels below are read while there is one. Once the
// reading has stopped before it was everywhere, it is for the person to have it go on.
func (p *scopePicker) searched(again bool) {
	h := &p.hunt
	switch {
	case p.query() == "":
		p.stopSearch()
	case h.running || h.done || h.ended != "" && !again:
	default:
		p.startSearch()
	}
	p.show()
}

func (p *scopePicker) startSearch() {
	h := &p.hunt
	*h = hunt{running: true, number: h.number + 1}
	number, top := h.number, p.root.scope
	known := map[string][]pim.Scope{}
	nodes := map[string][]*scopeNode{}
	var note func(*scopeNode)
	note = func(n *scopeNode) {
		key := local.WalkKey(n.scope)
		nodes[key] = append(nodes[key], n)
		if n.read {
			scopes := make([]pim.Scope, 0, len(n.children))
			for _, c := range n.children {
				scopes = append(scopes, c.scope)
				note(c)
			}
			known[key] = scopes
		}
	}
	note(p.root)
	// The same scope may lie below two others.
	took := func(l local.Level) {
		if l.Done == 0 {
			return
		}
		for _, n := range nodes[local.WalkKey(l.Below)] {
			n.take(l.Scopes) // unless the person has opened it meanwhile
			for _, c := range n.children {
				if key := local.WalkKey(c.scope); !slices.Contains(nodes[key], c) {
					nodes[key] = append(nodes[key], c)
				}
			}
		}
	}
	callOff := p.ui.begin(func(ctx context.Context, agent Agent) error {
		w := local.Walk{
			Known: known,
			Children: func(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
				answer, err := agent.Children(ctx, local.ChildrenRequest{Account: p.account, Key: p.key, Scope: s})
				return answer.Scopes, err
			},
			Read: func(l local.Level) {
				p.ui.p.Do(func() {
					took(l)
					if h.number == number {
						h.level = l
						p.show()
					}
				})
			},
		}
		return w.From(ctx, top)
	}, func(err error) {
		if h.number == number {
			p.endSearch(err)
		}
	})
	if h.running {
		h.callOff = callOff
	}
}

func (p *scopePicker) endSearch(err error) {
	h, w := &p.hunt, p.ui.p.Words
	h.running, h.callOff = false, nil
	switch {
	case err == nil:
		h.done = true
	case errors.Is(err, local.ErrBound):
		h.ended = w.Say("scope.at-bound", local.MostLevels)
	case pim.CodeOf(err) != pim.CodeCancelled:
		h.ended, h.failed = w.Say("scope.stopped", p.ui.problem(err).Text), true
	}
	p.show()
}

// stopSearch ends what reads for the search.
func (p *scopePicker) stopSearch() {
	if h := &p.hunt; h.running {
		if h.callOff != nil {
			h.callOff()
		}
		*h = hunt{number: h.number + 1}
	}
}

// huntText says how far the search has come.
func (p *scopePicker) huntText() string {
	w, l := p.ui.p.Words, p.hunt.level
	switch l.Type {
	case pim.ScopeManagementGroup:
		return w.Say("scope.searching-management", l.Done, l.Of)
	case pim.ScopeSubscription:
		return w.Say("scope.searching-subscriptions", l.Done, l.Of)
	case pim.ScopeResourceGroup:
		return w.Say("scope.searching-groups", l.Done, l.Of)
	}
	return w.Say("scope.searching", l.Done, l.Of)
}

func (n *scopeNode) matchesBelow(c *scopeNode, query string) bool {
	if strings.Contains(c.folded, query) {
		return true
	}
	return slices.ContainsFunc(c.children, func(d *scopeNode) bool { return c.matchesBelow(d, query) })
}

func (p *scopePicker) reads(n *scopeNode) bool {
	return n.reading || slices.ContainsFunc(n.children, p.reads)
}

// failed is why the first level that could not be read was not.
func (p *scopePicker) failed(n *scopeNode) string {
	if n.problem != "" {
		return n.problem
	}
	for _, c := range n.children {
		if text := p.failed(c); text != "" {
			return text
		}
	}
	return ""
}

func (p *scopePicker) toggle(n *scopeNode) {
	n.open = !n.open
	if n.open {
		p.load(n)
	}
	p.show()
}

func (p *scopePicker) isChosen(s pim.Scope) bool {
	return slices.ContainsFunc(p.chosen, func(c pim.Scope) bool { return strings.EqualFold(c.ID, s.ID) })
}

func (p *scopePicker) choose(s pim.Scope, on bool) {
	if on == p.isChosen(s) {
		return
	}
	if on {
		p.chosen = append(p.chosen, s)
	} else {
		p.chosen = slices.DeleteFunc(p.chosen, func(c pim.Scope) bool { return strings.EqualFold(c.ID, s.ID) })
	}
	p.show()
	p.changed()
}

// scopeList shows the tree's open part.
type scopeList struct {
	widget.List
	picker *scopePicker
	cursor int
	// held says that the list has the focus, so that the cursor means something.
	held bool
}

// under is the scope under the cursor, or nil.
func (l *scopeList) under() *scopeNode {
	if l.held && l.cursor < len(l.picker.visible) {
		return l.picker.visible[l.cursor]
	}
	return nil
}

// keep puts the cursor back on a scope that has moved.
func (l *scopeList) keep(n *scopeNode) {
	if at := slices.Index(l.picker.visible, n); n != nil && at >= 0 && at != l.cursor {
		l.Highlight(at)
	}
}

// FocusGained shows the cursor.
func (l *scopeList) FocusGained() {
	l.held = true
	l.List.FocusGained()
}

// FocusLost hides it.
func (l *scopeList) FocusLost() {
	l.held = false
	l.List.FocusLost()
}

func newScopeList(p *scopePicker) *scopeList {
	l := &scopeList{picker: p}
	l.HideSeparators = true
	l.Length = func() int { return len(p.visible) }
	l.CreateItem = func() fyne.CanvasObject { return newScopeRow(p) }
	l.UpdateItem = func(id widget.ListItemID, o fyne.CanvasObject) {
		if id < len(p.visible) {
			o.(*scopeRow).set(p.visible[id])
		}
	}
	l.OnHighlighted = func(id widget.ListItemID) { l.cursor = id }
	l.OnSelected = func(id widget.ListItemID) {
		l.Unselect(id)
		l.cursor = id
		if id < len(p.visible) {
			s := p.visible[id].scope
			p.choose(s, !p.isChosen(s))
		}
	}
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey opens and closes the scope under the cursor and lets other keys pass.
func (l *scopeList) TypedKey(ev *fyne.KeyEvent) {
	in := l.cursor < len(l.picker.visible)
	switch ev.Name {
	case fyne.KeyRight, fyne.KeyLeft:
		if in && l.picker.visible[l.cursor].open != (ev.Name == fyne.KeyRight) {
			l.picker.toggle(l.picker.visible[l.cursor])
		}
	case fyne.KeyEscape:
		l.picker.ui.typedKey(ev)
	default:
		l.List.TypedKey(ev)
	}
}

// TypedShortcut serves the window's shortcuts.
func (l *scopeList) TypedShortcut(s fyne.Shortcut) { l.picker.ui.typedShortcut(s) }

// scopeRow is one scope of the tree.
type scopeRow struct {
	widget.BaseWidget
	picker *scopePicker
	node   *scopeNode
	indent *canvas.Rectangle
	expand *button
	check  *check
	name   *line
	box    *fyne.Container
}

func newScopeRow(p *scopePicker) *scopeRow {
	r := &scopeRow{picker: p, indent: canvas.NewRectangle(color.Transparent), name: newLine(theme.SizeNameText, theme.ColorNameForeground, false)}
	r.expand = newButton(p.ui, "", theme.MenuExpandIcon(), func() { p.toggle(r.node) })
	r.expand.Importance = widget.LowImportance
	r.check = newCheck(p.ui, "", func(on bool) { p.choose(r.node.scope, on) })
	r.box = container.NewBorder(nil, nil, container.NewHBox(r.indent, r.expand, r.check), nil, r.name)
	r.ExtendBaseWidget(r)
	return r
}

func (r *scopeRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

func (r *scopeRow) set(n *scopeNode) {
	r.node = n
	r.indent.SetMinSize(fyne.NewSize(float32(min(n.depth, 6))*14, 1))
	symbol := theme.MenuExpandIcon()
	if n.open {
		symbol = theme.MenuDropDownIcon()
	}
	if r.expand.Icon.Name() != symbol.Name() {
		r.expand.SetIcon(symbol)
	}
	// A scope that has nothing below it says so by a button that does nothing.
	if leaf := n.read && len(n.children) == 0; leaf != r.expand.Disabled() {
		if leaf {
			r.expand.Disable()
		} else {
			r.expand.Enable()
		}
	}
	r.check.show(r.picker.isChosen(n.scope))
	r.name.set(pim.CleanText(n.scope.Label(), 200), theme.ColorNameForeground)
	r.box.Refresh()
}
