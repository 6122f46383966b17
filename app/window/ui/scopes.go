//go:build !nowindow

package ui

import (
	"context"
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
// level: Right opens a scope, Left closes it, Space chooses it.
type scopePicker struct {
	ui      *UI
	account string
	key     pim.Key
	object  fyne.CanvasObject
	search  *entry
	list    *scopeList
	said    *widget.Label
	root    *scopeNode
	visible []*scopeNode
	chosen  []pim.Scope
	changed func()
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
}

func newScopePicker(u *UI, account string, key pim.Key, top pim.Scope, changed func()) *scopePicker {
	p := &scopePicker{ui: u, account: account, key: key, root: &scopeNode{scope: top, depth: -1, open: true}, said: caption(""), changed: changed}
	p.search = newEntry(u, u.p.Words.Say("scope.search"))
	p.search.OnChanged = func(string) { p.show() }
	p.list = newScopeList(p)
	p.search.onKey = func(ev *fyne.KeyEvent) bool {
		if ev.Name == fyne.KeyDown {
			u.p.Window.Canvas().Focus(p.list)
			return true
		}
		return false
	}
	p.object = container.NewBorder(p.search, p.said, nil, nil, container.New(high{150}, p.list))
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
			n.read = true
			for _, s := range answer.Scopes {
				n.children = append(n.children, &scopeNode{scope: s, depth: n.depth + 1, parent: n})
			}
		}
		p.show()
	})
}

// show lists what is open, or what matches the search with what it lies in.
func (p *scopePicker) show() {
	w := p.ui.p.Words
	query := view.Fold(strings.TrimSpace(p.search.Text))
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
	switch {
	case problem != "":
		text = problem
	case p.reads(p.root):
		text = w.Say("scope.loading")
	case p.root.read && len(p.root.children) == 0:
		text = w.Say("scope.none")
	case len(p.visible) == 0:
		text = w.Say("scope.no-match")
	}
	if len(p.chosen) > 0 && problem == "" {
		var names []string
		for _, s := range p.chosen {
			names = append(names, s.Label())
		}
		text = w.Count("scope.chosen", len(p.chosen)) + ": " + pim.CleanText(strings.Join(names, ", "), 200)
	}
	weight := widget.LowImportance
	if problem != "" {
		weight = widget.DangerImportance
	}
	setLabel(p.said, text, weight)
	p.list.Refresh()
}

func (n *scopeNode) matchesBelow(c *scopeNode, query string) bool {
	if strings.Contains(view.Fold(c.scope.Label()), query) {
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
