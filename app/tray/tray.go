// Package tray puts a view's icon and menu into the desktop's notification area
// with fyne.io/systray, and changes only what is different from before: a menu
// that is rebuilt flickers, and Windows never frees an icon. It decides nothing
// about what is shown.
//
// systray is one tray for one process, so only one Tray may run in a process,
// and only once.
package tray

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fyne.io/systray"

	"roletray/app/view"
	"roletray/assets"
)

// Params are what a Tray is made of.
type Params struct {
	// Name is the application's name.
	Name string
	// Chosen is called with the action of an entry that was chosen. It is called
	// on a goroutine of the tray, one call at a time for each entry, and must not block.
	Chosen func(view.Action)
	Log    *slog.Logger
}

// Tray is the icon in the notification area. Show may be called at any time and
// from any goroutine.
type Tray struct {
	params Params
	icons  map[view.Icon]icon

	mu      sync.Mutex
	ready   bool
	want    view.Tray
	icon    view.Icon
	tooltip string
	items   []view.Item
	nodes   []*node
	clicks  sync.WaitGroup
	// built is when the menu was last built anew, and later builds it again.
	built time.Time
	later *time.Timer
}

// calm is the least time from one building of the menu to the next: a click that
// meets an entry of the menu before is lost.
const calm = 500 * time.Millisecond

// icon is one state in the forms that the desktops want.
type icon struct{ regular, template []byte }

// New prepares a tray. It fails when an icon is missing from the program.
func New(p Params) (*Tray, error) {
	t := &Tray{params: p, icons: map[view.Icon]icon{}}
	for _, state := range assets.TrayStates() {
		regular, template, err := stateIcon(state)
		if err != nil {
			return nil, fmt.Errorf("prepare the tray: %w", err)
		}
		t.icons[view.Icon(state)] = icon{regular, template}
	}
	return t, nil
}

// Run shows the tray until ctx ends, and returns when the last entry's goroutine
// has stopped. It must be called on the program's main goroutine: Windows and macOS
// deliver the tray's events there and nowhere else. Where Available fails it only waits for ctx.
func (t *Tray) Run(ctx context.Context) {
	if err := Available(); err != nil {
		t.params.Log.Info("No tray", "reason", err)
		<-ctx.Done()
		return
	}
	stop := context.AfterFunc(ctx, systray.Quit)
	defer stop()
	systray.Run(t.start, t.stop)
	t.clicks.Wait()
}

// start is called by systray once the desktop's side is there.
func (t *Tray) start() {
	setTitle(t.params.Name)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = true
	t.apply()
}

// stop is called by systray at its end. Entries lose their channels, which ends
// their goroutines.
func (t *Tray) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ready = false
	if t.later != nil {
		t.later.Stop()
	}
	systray.ResetMenu()
}

// Show makes the tray look like v.
func (t *Tray) Show(v view.Tray) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.want = v
	if t.ready {
		t.apply()
	}
}

func (t *Tray) apply() {
	if i, ok := t.icons[t.want.Icon]; ok && t.icon != t.want.Icon {
		t.icon = t.want.Icon
		systray.SetTemplateIcon(i.template, i.regular)
	}
	if t.tooltip != t.want.Tooltip {
		t.tooltip = t.want.Tooltip
		systray.SetTooltip(t.tooltip)
	}
	switch {
	case slices.EqualFunc(t.items, t.want.Menu, sameItem):
	case slices.EqualFunc(t.items, t.want.Menu, sameShape):
		for i, n := range t.nodes {
			n.update(t.items[i], t.want.Menu[i])
		}
	default:
		t.build()
		return
	}
	t.items = t.want.Menu
}

// build makes the menu anew, or later where that was done just now.
func (t *Tray) build() {
	if t.later != nil {
		t.later.Stop()
	}
	if wait := calm - time.Since(t.built); wait > 0 {
		t.later = time.AfterFunc(wait, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.ready {
				t.apply()
			}
		})
		return
	}
	systray.ResetMenu()
	t.nodes = nil
	for _, it := range t.want.Menu {
		t.nodes = append(t.nodes, t.add(nil, it))
	}
	t.items, t.built = t.want.Menu, time.Now()
}

// node is an entry of the menu as the desktop has it.
type node struct {
	item     *systray.MenuItem // nil for a separator
	children []*node

	mu     sync.Mutex
	action view.Action
}

func (t *Tray) add(parent *systray.MenuItem, it view.Item) *node {
	n := &node{action: it.Action}
	switch {
	case it.Separator && parent == nil:
		systray.AddSeparator()
		return n
	case it.Separator:
		parent.AddSeparator()
		return n
	case parent == nil && it.Checked:
		n.item = systray.AddMenuItemCheckbox(label(it.Label), "", true)
	case parent == nil:
		n.item = systray.AddMenuItem(label(it.Label), "")
	case it.Checked:
		n.item = parent.AddSubMenuItemCheckbox(label(it.Label), "", true)
	default:
		n.item = parent.AddSubMenuItem(label(it.Label), "")
	}
	if !it.Enabled {
		n.item.Disable()
	}
	clicked := n.item.ClickedCh
	t.clicks.Go(func() {
		for range clicked {
			n.mu.Lock()
			action := n.action
			n.mu.Unlock()
			if action != nil && t.params.Chosen != nil {
				t.params.Chosen(action)
			}
		}
	})
	for _, c := range it.Children {
		n.children = append(n.children, t.add(n.item, c))
	}
	return n
}

// update changes what differs between two items of the same shape.
func (n *node) update(from, to view.Item) {
	n.mu.Lock()
	n.action = to.Action
	n.mu.Unlock()
	if n.item == nil {
		return
	}
	if from.Label != to.Label {
		n.item.SetTitle(label(to.Label))
	}
	switch {
	case from.Enabled && !to.Enabled:
		n.item.Disable()
	case !from.Enabled && to.Enabled:
		n.item.Enable()
	}
	for i, c := range n.children {
		c.update(from.Children[i], to.Children[i])
	}
}

// sameItem says that two items look and act the same.
func sameItem(a, b view.Item) bool {
	return a.Label == b.Label && a.Enabled == b.Enabled && a.Action == b.Action &&
		sameKind(a, b) && slices.EqualFunc(a.Children, b.Children, sameItem)
}

// sameShape says that one can be made into the other without rebuilding the menu.
func sameShape(a, b view.Item) bool {
	return sameKind(a, b) && slices.EqualFunc(a.Children, b.Children, sameShape)
}

func sameKind(a, b view.Item) bool {
	return a.ID == b.ID && a.Separator == b.Separator && a.Checked == b.Checked
}
