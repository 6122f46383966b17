//go:build !nowindow

package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
	"roletray/pim"
)

// rowList is a list of rows with a cursor: arrows move it past headings, Space marks a
// row, Enter opens or activates it. Enter never deactivates or cancels anything: where a row's
// button may, Enter shows the row's menu.
type rowList struct {
	widget.List
	actions listActions
	rows    []view.Row
	cursor  string // the id of the row that the cursor is on
	marked  map[pim.Key]bool
	// widgets has which row each widget was last given. A widget out of sight keeps its old one.
	widgets map[*roleRow]int
}

// listActions is what a list asks of the window.
type listActions interface {
	keyboard
	act(view.Row)
	// offer shows what else can be done with a row, beside an object.
	offer(view.Row, fyne.CanvasObject)
	// typedText is called for a letter that is typed while the list has the focus.
	typedText(rune)
	// leaveUp is called when the cursor would go above the first row.
	leaveUp()
	// marksChanged is called after rows were marked.
	marksChanged()
	// shown is called for a row in view whose policy is not known.
	shown(view.Row)
	// cursorMoved is called after the cursor was moved, or taken away.
	cursorMoved()
}

func newRowList(actions listActions) *rowList {
	l := &rowList{actions: actions, marked: map[pim.Key]bool{}, widgets: map[*roleRow]int{}}
	l.HideSeparators = true
	l.Length = func() int { return len(l.rows) }
	l.CreateItem = func() fyne.CanvasObject { return newRoleRow(l) }
	l.UpdateItem = func(id widget.ListItemID, o fyne.CanvasObject) {
		if id < len(l.rows) {
			w := o.(*roleRow)
			l.widgets[w] = id
			l.update(w, l.rows[id])
		}
	}
	l.OnSelected = func(id widget.ListItemID) {
		l.Unselect(id)
		l.move(id)
	}
	l.ExtendBaseWidget(l)
	return l
}

func (l *rowList) isMarked(r view.Row) bool { return r.Selectable && l.marked[markOf(r)] }

// markOf is what a mark on a row stands for: the role, which may have several rows, or the
// one request.
func markOf(r view.Row) pim.Key {
	if r.Type == view.RowApproval {
		return pim.Key(r.ID)
	}
	return r.Key
}

func (l *rowList) update(w *roleRow, r view.Row) {
	w.set(r, l.isMarked(r))
	if r.Unread {
		l.actions.shown(r)
	}
}

// set shows other rows and keeps the cursor on the row that it was on. Where the rows are the
// same but for their texts, as with each second of a countdown, only what is in view and
// differs is drawn anew.
func (l *rowList) set(rows []view.Row) {
	if slices.EqualFunc(l.rows, rows, func(a, b view.Row) bool {
		return a.ID == b.ID && a.Type == b.Type && a.Selectable == b.Selectable
	}) {
		old := l.rows
		l.rows = rows
		for w, id := range l.widgets {
			if id < len(rows) && !sameRow(old[id], rows[id]) {
				l.update(w, rows[id])
			}
		}
		return
	}
	at := l.index()
	l.rows = rows
	if now := l.index(); at >= 0 && now >= 0 && now != at {
		l.Highlight(now)
	}
	for k := range l.marked {
		if !slices.ContainsFunc(rows, func(r view.Row) bool { return r.Selectable && markOf(r) == k }) {
			delete(l.marked, k)
		}
	}
	l.Refresh()
}

func sameRow(a, b view.Row) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Account == b.Account && a.Kind == b.Kind && a.Title == b.Title && a.Scope == b.Scope &&
		a.Status == b.Status && a.Detail == b.Detail && a.Tone == b.Tone && a.Left == b.Left && a.Selectable == b.Selectable && a.Unread == b.Unread &&
		a.Verb == b.Verb && a.Action == b.Action && a.Details == b.Details && a.Note == b.Note &&
		slices.Equal(a.Badges, b.Badges) && slices.Equal(a.More, b.More)
}

func (l *rowList) move(id int) {
	if id >= 0 && id < len(l.rows) {
		l.cursor = l.rows[id].ID
		l.actions.cursorMoved()
	}
}

// leave takes the cursor away.
func (l *rowList) leave() {
	if l.cursor != "" {
		l.cursor = ""
		l.actions.cursorMoved()
	}
}

// underCursor is the row that the cursor is on, if it is on one.
func (l *rowList) underCursor() (view.Row, bool) {
	if i := l.index(); i >= 0 && l.rows[i].Type != view.RowHeading {
		return l.rows[i], true
	}
	return view.Row{}, false
}

// highlight moves the cursor and shows it.
func (l *rowList) highlight(id int) {
	l.move(id)
	l.Highlight(id)
}

func (l *rowList) index() int {
	return slices.IndexFunc(l.rows, func(r view.Row) bool { return r.ID == l.cursor })
}

// current is the row under the cursor, or the first that can be acted upon.
func (l *rowList) current() (view.Row, bool) {
	if r, ok := l.underCursor(); ok {
		return r, true
	}
	for _, r := range l.rows {
		if r.Type != view.RowHeading {
			return r, true
		}
	}
	return view.Row{}, false
}

// enter puts the cursor on the first row that is none of a heading's.
func (l *rowList) enter() {
	for i, r := range l.rows {
		if r.Type != view.RowHeading {
			l.highlight(i)
			return
		}
	}
}

func (l *rowList) step(by int) {
	i := l.index()
	if i < 0 {
		l.enter()
		return
	}
	for i += by; i >= 0 && i < len(l.rows); i += by {
		if l.rows[i].Type != view.RowHeading {
			l.highlight(i)
			return
		}
	}
	if by < 0 {
		l.actions.leaveUp()
	}
}

// FocusGained shows the cursor.
func (l *rowList) FocusGained() {
	l.List.FocusGained()
	if l.index() < 0 {
		l.enter()
	}
}

// TypedKey moves the cursor or acts on the row under it.
func (l *rowList) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyDown:
		l.step(1)
	case fyne.KeyUp:
		l.step(-1)
	case fyne.KeyPageDown, fyne.KeyPageUp:
		by := 1
		if ev.Name == fyne.KeyPageUp {
			by = -1
		}
		for range 8 {
			if i := l.index() + by; i < 0 || i >= len(l.rows) {
				return
			}
			l.step(by)
		}
	case fyne.KeyHome:
		l.enter()
	case fyne.KeyEnd:
		if n := len(l.rows); n > 0 {
			l.highlight(n - 1)
		}
	case fyne.KeySpace:
		if r, ok := l.current(); ok && r.Selectable {
			l.mark(r, !l.isMarked(r))
		}
	case fyne.KeyRight, desktop.KeyMenu:
		if r, ok := l.underCursor(); ok {
			l.offer(r, l.widgetOf(r))
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if r, ok := l.current(); ok {
			l.enterRow(r)
		}
	default:
		l.actions.typedKey(ev)
	}
}

// TypedRune goes on in the search: whoever types means to search.
func (l *rowList) TypedRune(r rune) {
	if r != ' ' {
		l.actions.typedText(r)
	}
}

func (l *rowList) typedKey(ev *fyne.KeyEvent) bool    { return l.actions.typedKey(ev) }
func (l *rowList) typedShortcut(s fyne.Shortcut) bool { return l.actions.typedShortcut(s) }
func (l *rowList) act(r view.Row)                     { l.actions.act(r) }

// enterRow does what Enter does on a row.
func (l *rowList) enterRow(r view.Row) {
	if !underWay(r) {
		l.act(r)
		return
	}
	l.highlight(slices.IndexFunc(l.rows, func(o view.Row) bool { return o.ID == r.ID }))
	l.offer(r, l.widgetOf(r))
}

// underWay says that a row is of something that the person has or has asked for already, so
// that its button may take it away.
func underWay(r view.Row) bool {
	return r.Type == view.RowActive || r.Type == view.RowOperation || r.Type == view.RowRequest
}

// offer shows a row's menu. The keyboard reaches the button of what is under way only there.
func (l *rowList) offer(r view.Row, by fyne.CanvasObject) {
	if underWay(r) && r.Action != nil {
		r.More = append(slices.Clone(r.More), view.Offer{Verb: r.Verb, Action: r.Action})
	}
	if len(r.More) > 0 {
		l.actions.offer(r, by)
	}
}

// widgetOf is what shows a row's menu: its button for more, its other button, or the list.
func (l *rowList) widgetOf(r view.Row) fyne.CanvasObject {
	for w := range l.widgets {
		switch {
		case w.row.ID != r.ID:
		case w.others.Visible():
			return w.others
		case w.button.Visible():
			return w.button
		}
	}
	return l
}

func (l *rowList) clearMarks() { clear(l.marked); l.Refresh(); l.actions.marksChanged() }

func (l *rowList) mark(r view.Row, on bool) {
	k := markOf(r)
	if on == l.marked[k] {
		return
	}
	if on {
		l.marked[k] = true
	} else {
		delete(l.marked, k)
	}
	l.Refresh()
	l.actions.marksChanged()
}

// markedKeys are the marked roles in the order of the list, each once.
func (l *rowList) markedKeys() []pim.Key {
	var keys []pim.Key
	for _, r := range l.rows {
		if l.isMarked(r) && !slices.Contains(keys, r.Key) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// markedRows are the marked rows in the order of the list.
func (l *rowList) markedRows() []view.Row {
	return slices.DeleteFunc(slices.Clone(l.rows), func(r view.Row) bool { return !l.isMarked(r) })
}
