package desktoptest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	itemIface   = "org.kde.StatusNotifierItem"
	menuIface   = "com.canonical.dbusmenu"
)

// Tray is the icon that one process shows in the panel, read and clicked over D-Bus as the
// panel does it.
type Tray struct {
	t    testing.TB
	conn *dbus.Conn
	item dbus.BusObject
}

// Entry is one line of a tray menu.
type Entry struct {
	Label     string // without the marks of access keys
	Enabled   bool
	Separator bool
	Checkable bool
	Checked   bool
	Children  []Entry

	id int32
}

// FindTray waits until the process has an icon in the tray.
func FindTray(t testing.TB, pid int) *Tray {
	t.Helper()
	tray := &Tray{t: t, conn: sessionBus(t)}
	Eventually(t, fmt.Sprintf("a tray icon of process %d", pid), func() error {
		items, err := tray.registered()
		if err != nil {
			return err
		}
		for _, item := range items {
			var owner uint32
			err := tray.conn.BusObject().Call("org.freedesktop.DBus.GetConnectionUnixProcessID", 0, item.Destination()).Store(&owner)
			if err == nil && int(owner) == pid {
				tray.item = item
				return nil
			}
		}
		return fmt.Errorf("not among the %d registered", len(items))
	})
	return tray
}

func (tr *Tray) registered() ([]dbus.BusObject, error) {
	v, err := tr.conn.Object(watcherName, "/StatusNotifierWatcher").GetProperty(watcherName + ".RegisteredStatusNotifierItems")
	if err != nil {
		return nil, fmt.Errorf("ask the panel for its tray icons: %w", err)
	}
	var names []string
	if err := v.Store(&names); err != nil {
		return nil, fmt.Errorf("tray icons of the panel: %w", err)
	}
	var items []dbus.BusObject
	for _, name := range names {
		bus, path, ok := strings.Cut(name, "/")
		if !ok {
			path = "StatusNotifierItem"
		}
		items = append(items, tr.conn.Object(strings.TrimSuffix(bus, "@"), dbus.ObjectPath("/"+path)))
	}
	return items, nil
}

// WaitGone waits until the panel has forgotten the icon.
func (tr *Tray) WaitGone() {
	tr.t.Helper()
	Eventually(tr.t, "the tray icon to go", func() error {
		items, err := tr.registered()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(items, func(o dbus.BusObject) bool { return o.Destination() == tr.item.Destination() }) {
			return errors.New("still registered")
		}
		return nil
	})
}

func (tr *Tray) property(name string, into any) {
	tr.t.Helper()
	v, err := tr.item.GetProperty(itemIface + "." + name)
	if err == nil {
		err = v.Store(into)
	}
	if err != nil {
		tr.t.Fatalf("%s of the tray icon: %v", name, err)
	}
}

// Title returns the title of the icon.
func (tr *Tray) Title() string {
	tr.t.Helper()
	var s string
	tr.property("Title", &s)
	return s
}

// Status returns "Passive", "Active" or "NeedsAttention".
func (tr *Tray) Status() string {
	tr.t.Helper()
	var s string
	tr.property("Status", &s)
	return s
}

// IconName returns the themed name of the icon; it is empty when the icon is sent as pixels.
func (tr *Tray) IconName() string {
	tr.t.Helper()
	var s string
	tr.property("IconName", &s)
	return s
}

// Tooltip returns the title and the text of the tooltip.
func (tr *Tray) Tooltip() (title, text string) {
	tr.t.Helper()
	var tip struct {
		Icon   string
		Pixels []pixmap
		Title  string
		Text   string
	}
	tr.property("ToolTip", &tip)
	return tip.Title, tip.Text
}

type pixmap struct {
	Width, Height int32
	ARGB          []byte // big-endian, one word for each pixel
}

// Icon returns the picture that the icon shows now, the first where several sizes are offered.
func (tr *Tray) Icon() image.Image {
	tr.t.Helper()
	var maps []pixmap
	tr.property("IconPixmap", &maps)
	if len(maps) == 0 {
		tr.t.Fatal("the tray icon has no pixels")
	}
	p := maps[0]
	if len(p.ARGB) != int(4*p.Width*p.Height) {
		tr.t.Fatalf("the tray icon has %d bytes for %d × %d pixels", len(p.ARGB), p.Width, p.Height)
	}
	img := image.NewNRGBA(image.Rect(0, 0, int(p.Width), int(p.Height)))
	for i := range int(p.Width * p.Height) {
		d := p.ARGB[4*i:]
		img.SetNRGBA(i%int(p.Width), i/int(p.Width), color.NRGBA{A: d[0], R: d[1], G: d[2], B: d[3]})
	}
	return img
}

// Menu returns the menu as it is now.
func (tr *Tray) Menu() []Entry {
	tr.t.Helper()
	entries, err := tr.layout()
	if err != nil {
		tr.t.Fatal(err)
	}
	return entries
}

// WaitMenu waits until accept, given the menu, returns nil, and returns that menu.
func (tr *Tray) WaitMenu(what string, accept func([]Entry) error) []Entry {
	tr.t.Helper()
	var entries []Entry
	Eventually(tr.t, what, func() error {
		var err error
		if entries, err = tr.layout(); err != nil {
			return err
		}
		if err := accept(entries); err != nil {
			return fmt.Errorf("%w in the menu\n%s", err, Outline(entries))
		}
		return nil
	})
	return entries
}

// WaitEntry waits until the menu has the entry at that path of labels, and returns it. A label
// is matched whole or, where that finds nothing, by a beginning that only one entry has.
func (tr *Tray) WaitEntry(labels ...string) Entry {
	tr.t.Helper()
	var found []Entry
	tr.WaitMenu(fmt.Sprintf("menu entry %q", labels), func(entries []Entry) error {
		var err error
		found, err = find(entries, labels)
		return err
	})
	return found[len(found)-1]
}

// Click waits until the entry at that path of labels is there and enabled, and clicks it.
// Labels are matched as by [Tray.WaitEntry].
func (tr *Tray) Click(labels ...string) {
	tr.t.Helper()
	menu := tr.menu()
	tr.WaitMenu(fmt.Sprintf("clickable menu entry %q", labels), func(entries []Entry) error {
		path, err := find(entries, labels)
		if err != nil {
			return err
		}
		last := path[len(path)-1]
		if !last.Enabled {
			return fmt.Errorf("entry %q is disabled", last.Label)
		}
		// An entry's number changes whenever the menu is rebuilt, so it is used at once.
		for _, above := range path[:len(path)-1] {
			if err := menu.Call(menuIface+".AboutToShow", 0, above.id).Err; err != nil {
				return fmt.Errorf("open submenu %q: %w", above.Label, err)
			}
		}
		return menu.Call(menuIface+".Event", 0, last.id, "clicked", dbus.MakeVariant(""), uint32(time.Now().Unix())).Err
	})
}

func (tr *Tray) menu() dbus.BusObject {
	tr.t.Helper()
	var path dbus.ObjectPath
	tr.property("Menu", &path)
	return tr.conn.Object(tr.item.Destination(), path)
}

type layout struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

func (tr *Tray) layout() ([]Entry, error) {
	tr.t.Helper()
	var (
		revision uint32
		root     layout
	)
	if err := tr.menu().Call(menuIface+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return nil, fmt.Errorf("read the tray menu: %w", err)
	}
	return root.entries()
}

func (l layout) entries() ([]Entry, error) {
	var entries []Entry
	for _, v := range l.Children {
		var child layout
		if err := v.Store(&child); err != nil {
			return nil, fmt.Errorf("an entry of the tray menu: %w", err)
		}
		if visible, ok := child.Properties["visible"].Value().(bool); ok && !visible {
			continue
		}
		below, err := child.entries()
		if err != nil {
			return nil, err
		}
		entries = append(entries, child.entry(below))
	}
	return entries, nil
}

// entry applies the defaults of the dbusmenu protocol to what was sent.
func (l layout) entry(children []Entry) Entry {
	e := Entry{id: l.ID, Enabled: true, Children: children}
	if label, ok := l.Properties["label"].Value().(string); ok {
		e.Label = plainLabel(label)
	}
	if enabled, ok := l.Properties["enabled"].Value().(bool); ok {
		e.Enabled = enabled
	}
	if toggle, ok := l.Properties["toggle-type"].Value().(string); ok {
		e.Checkable = toggle != ""
	}
	if state, ok := l.Properties["toggle-state"].Value().(int32); ok {
		e.Checked = e.Checkable && state == 1
	}
	if kind, ok := l.Properties["type"].Value().(string); ok {
		e.Separator = kind == "separator"
	}
	return e
}

// plainLabel removes the underscore that marks an access key; a doubled one is an underscore.
func plainLabel(s string) string {
	return strings.NewReplacer("__", "_", "_", "").Replace(s)
}

// find returns the entries along a path of labels.
func find(entries []Entry, labels []string) ([]Entry, error) {
	if len(labels) == 0 {
		return nil, errors.New("no label given")
	}
	var path []Entry
	for _, label := range labels {
		e, err := match(entries, label)
		if err != nil {
			return nil, err
		}
		path = append(path, e)
		entries = e.Children
	}
	return path, nil
}

func match(entries []Entry, label string) (Entry, error) {
	var begins []Entry
	for _, e := range entries {
		if e.Separator {
			continue
		}
		if e.Label == label {
			return e, nil
		}
		if strings.HasPrefix(e.Label, label) {
			begins = append(begins, e)
		}
	}
	switch len(begins) {
	case 1:
		return begins[0], nil
	case 0:
		return Entry{}, fmt.Errorf("no entry %q", label)
	default:
		return Entry{}, fmt.Errorf("%d entries begin with %q", len(begins), label)
	}
}

// Outline returns the menu as text, one line for each entry and two spaces for each level:
// "-" before what is disabled, "x" before what is checked.
func Outline(entries []Entry) string {
	var b strings.Builder
	var write func([]Entry, string)
	write = func(entries []Entry, margin string) {
		for _, e := range entries {
			mark, label := " ", e.Label
			switch {
			case e.Separator:
				label = "----"
			case !e.Enabled:
				mark = "-"
			case e.Checked:
				mark = "x"
			}
			b.WriteString(margin + mark + " " + label + "\n")
			write(e.Children, margin+"  ")
		}
	}
	write(entries, "")
	return b.String()
}
