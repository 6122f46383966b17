//go:build !nowindow

package ui

import (
	"context"
	"io"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// listPage is a list with what stands in for it, and below it the row under the cursor with
// all of its text.
type listPage struct {
	ui     *UI
	object *fyne.Container
	list   *rowList
	empty  *emptyState
	detail *detailPane
}

func newListPage(u *UI) *listPage {
	p := &listPage{ui: u, empty: newEmptyState(u), detail: newDetailPane(u)}
	p.list = newRowList(p)
	p.object = container.NewBorder(nil, p.detail.object, nil, nil, container.NewStack(p.list, p.empty.object))
	return p
}

// showDetail follows the cursor.
func (p *listPage) showDetail() {
	row, ok := p.list.underCursor()
	if p.detail.set(row, ok) {
		relayout(p.object)
	}
}

// detailPane shows a row with nothing cut off.
type detailPane struct {
	ui      *UI
	object  fyne.CanvasObject
	title   *widget.Label
	scope   *widget.Label
	text    *widget.Label
	copying *button
	room    *atMost
	row     view.Row
}

func newDetailPane(u *UI) *detailPane {
	d := &detailPane{ui: u, title: bold(wrapped("")), scope: wrapped(""), text: wrapped(""), room: &atMost{110}}
	d.scope.SizeName, d.text.SizeName = theme.SizeNameCaptionText, theme.SizeNameCaptionText
	d.scope.Importance = widget.LowImportance
	d.copying = newButton(u, u.p.Words.Say("verb.copy-details"), theme.ContentCopyIcon(), func() {
		u.copyText(strings.Join([]string{d.row.Title, d.row.Path, d.row.Status, d.row.Detail, d.row.Details}, "\n"))
	})
	d.copying.Importance = widget.LowImportance
	text := container.NewVScroll(container.New(tight{}, d.title, d.scope, d.text))
	d.object = padded(4, 6, 0, 10, card(container.NewBorder(nil, nil, nil, container.NewVBox(d.copying), container.New(d.room, text))))
	d.object.Hide()
	return d
}

// set says whether anything differs.
func (d *detailPane) set(r view.Row, visible bool) bool {
	if visible == d.object.Visible() && (!visible || sameRow(d.row, r)) {
		return false
	}
	setVisible(d.object, visible)
	if !visible {
		return true
	}
	d.row = r
	setLabel(d.title, r.Title, widget.MediumImportance)
	scope := r.Scope
	if r.Path != "" && r.Path != r.Scope {
		scope += "\n" + r.Path
	}
	setLabel(d.scope, scope, widget.LowImportance)
	parts := []string{r.Status, r.Detail}
	for _, b := range r.Badges {
		parts = append(parts, b.Text)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	said := strings.Join(parts, " · ")
	switch {
	case r.Type == view.RowApproval:
		said = r.Note // which has all of it in sentences
	case r.Note != "":
		said = strings.TrimSpace(said + "\n" + r.Note)
	}
	tone := widget.MediumImportance
	if r.Tone == view.ToneBad {
		tone = widget.DangerImportance
	}
	setLabel(d.text, said, tone)
	setVisible(d.text, said != "")
	setVisible(d.copying, r.Details != "")
	return true
}

// atMost is as high as its only object, up to a height at the plain text size.
type atMost struct{ height float32 }

func (l atMost) MinSize(o []fyne.CanvasObject) fyne.Size {
	content := o[0]
	if scroll, ok := content.(*container.Scroll); ok {
		content = scroll.Content
	}
	return fyne.NewSize(100, min(content.MinSize().Height, l.height*textScale()))
}

func (atMost) Layout(o []fyne.CanvasObject, s fyne.Size) { o[0].Resize(s) }

func (p *listPage) set(rows []view.Row, empty *view.Empty) {
	p.list.set(rows)
	p.showDetail()
	setVisible(p.list, empty == nil)
	if p.empty.set(empty) {
		relayout(p.object)
	}
}

func (p *listPage) typedKey(ev *fyne.KeyEvent) bool    { return p.ui.typedKey(ev) }
func (p *listPage) typedShortcut(s fyne.Shortcut) bool { return p.ui.typedShortcut(s) }
func (p *listPage) act(r view.Row)                     { p.ui.act(r.Action) }
func (p *listPage) offer(r view.Row, by fyne.CanvasObject) {
	var items []*fyne.MenuItem
	for _, o := range r.More {
		items = append(items, fyne.NewMenuItem(o.Verb, func() { p.ui.act(o.Action) }))
	}
	menu := widget.NewPopUpMenu(fyne.NewMenu("", items...), p.ui.p.Window.Canvas())
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(by)
	menu.ShowAtPosition(at.Add(fyne.NewPos(by.Size().Width-menu.MinSize().Width, min(by.Size().Height, 40))))
}

func (p *listPage) typedText(r rune) {
	p.ui.focusSearch()
	p.ui.header.search.CursorColumn = len([]rune(p.ui.header.search.Text))
	p.ui.header.search.TypedRune(r)
}
func (p *listPage) leaveUp()         { p.ui.focusSearch() }
func (p *listPage) marksChanged()    {}
func (p *listPage) shown(r view.Row) { p.ui.policies.want(r.Account, r.Key) }
func (p *listPage) cursorMoved()     { p.showDetail() }

// rolesPage is the list of roles with the kinds above it and the marked ones below.
type rolesPage struct {
	*listPage
	object   *fyne.Container
	kinds    *fyne.Container
	kind     map[pim.Kind]*button
	bar      fyne.CanvasObject
	barText  *widget.Label
	activate *button
	account  string
}

func newRolesPage(u *UI) *rolesPage {
	w := u.p.Words
	p := &rolesPage{listPage: newListPage(u), kind: map[pim.Kind]*button{}, kinds: container.New(&flow{gap: 4})}
	p.list.actions = p
	for _, k := range []struct {
		kind pim.Kind
		text string
	}{{"", w.Say("kind.all")}, {pim.KindAzure, view.KindsName(w, pim.KindAzure)}, {pim.KindDirectory, view.KindsName(w, pim.KindDirectory)}, {pim.KindGroup, view.KindsName(w, pim.KindGroup)}} {
		b := newButton(u, k.text, nil, func() {
			u.look.Kind = k.kind
			p.showKind()
			u.update()
		})
		p.kind[k.kind] = b
		p.kinds.Add(b)
	}
	p.showKind()
	p.barText = oneLine("")
	p.activate = newButton(u, "", nil, p.activateMarked)
	p.activate.Importance = widget.HighImportance
	bundle := newButton(u, w.Say("verb.bundle"), icon("star"), func() { u.newFavorite(p.account, p.list.markedKeys()) })
	p.bar = p.markBar(p.barText, bundle, p.activate)
	p.object = container.NewBorder(p.kinds, p.bar, nil, nil, p.listPage.object)
	return p
}

// markBar is the line below a list about its marked rows.
func (p *listPage) markBar(text fyne.CanvasObject, buttons ...fyne.CanvasObject) fyne.CanvasObject {
	clearMarks := newButton(p.ui, p.ui.p.Words.Say("verb.clear"), nil, func() { p.list.clearMarks() })
	clearMarks.Importance = widget.LowImportance
	all := container.NewHBox(append([]fyne.CanvasObject{clearMarks}, buttons...)...)
	bar := padded(4, 8, 0, 0, container.NewBorder(widget.NewSeparator(), nil, nil, padded(6, 0, 0, 0, all), padded(6, 0, 0, 0, text)))
	bar.Hide()
	return bar
}

func (p *rolesPage) showKind() {
	for k, b := range p.kind {
		weight := widget.LowImportance
		if k == p.ui.look.Kind {
			weight = widget.MediumImportance
		}
		b.set(b.Text, true, weight)
	}
}

func (p *rolesPage) set(v view.Window) {
	if p.account != v.Header.Account {
		p.account = v.Header.Account
		clear(p.list.marked)
	}
	p.listPage.set(v.Rows, v.Empty)
	if (v.Kinds > 1) != p.kinds.Visible() {
		setVisible(p.kinds, v.Kinds > 1)
		relayout(p.object)
	}
	p.marksChanged()
}

// act activates the marked roles where Enter is pressed on one of them.
func (p *rolesPage) act(r view.Row) {
	if p.list.isMarked(r) && len(p.list.markedKeys()) > 1 {
		p.activateMarked()
		return
	}
	p.ui.act(r.Action)
}

func (p *rolesPage) marksChanged() {
	n := len(p.list.markedKeys())
	if n > 0 {
		w := p.ui.p.Words
		setLabel(p.barText, w.Count("roles.selected", n), widget.MediumImportance)
		p.activate.set(w.Count("sheet.button", n), true, widget.HighImportance)
	}
	if (n > 0) != p.bar.Visible() {
		setVisible(p.bar, n > 0)
		relayout(p.object)
	}
}

func (p *rolesPage) activateMarked() {
	if keys := p.list.markedKeys(); len(keys) > 0 {
		p.ui.openSheet(p.account, keys, view.Filled{})
	}
}

// historyPage lists what this computer has recorded.
type historyPage struct {
	*listPage
	object  *fyne.Container
	entries []local.HistoryEntry
	loaded  bool
}

func newHistoryPage(u *UI) *historyPage {
	p := &historyPage{listPage: newListPage(u)}
	p.detail.room.height = 200 // its rows have the most to tell
	w := u.p.Words
	csv := newButton(u, w.Say("verb.export-csv"), theme.DownloadIcon(), func() { p.export(local.ExportCSV) })
	json := newButton(u, w.Say("verb.export-json"), theme.DownloadIcon(), func() { p.export(local.ExportJSON) })
	csv.Importance, json.Importance = widget.LowImportance, widget.LowImportance
	p.object = container.NewBorder(container.NewHBox(layout.NewSpacer(), csv, json), nil, nil, nil, p.listPage.object)
	return p
}

// export asks for a file and writes the entries that the search has left to it.
func (p *historyPage) export(format local.ExportFormat) {
	u := p.ui
	req := local.ExportRequest{Format: format}
	req.Account, req.Search = u.shown.Header.Account, u.look.Search
	save := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		if err != nil {
			u.fail(err)
		}
		if err != nil || file == nil {
			return
		}
		u.do(func(ctx context.Context, agent Agent) error { return writeExport(ctx, agent, req, file) }, nil)
	}, u.p.Window)
	save.SetFileName("roletray-history." + string(format))
	save.Show()
}

// writeExport closes the file in any case.
func writeExport(ctx context.Context, agent Agent, req local.ExportRequest, file io.WriteCloser) error {
	answer, err := agent.Export(ctx, req)
	if err == nil {
		_, err = io.WriteString(file, answer.Text)
	}
	if errClose := file.Close(); err == nil {
		err = errClose
	}
	return err
}

func (p *historyPage) load() {
	u := p.ui
	if !p.loaded {
		p.set(nil, &view.Empty{Title: u.p.Words.Say("empty.reading-history"), Busy: true})
	}
	var answer local.HistoryAnswer
	u.do(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.History(ctx, local.HistoryRequest{})
		return err
	}, func(err error) {
		if err != nil {
			u.fail(err)
		} else {
			p.entries = answer.Entries
		}
		p.loaded = true
		p.update()
	})
}

func (p *historyPage) update() {
	if p.loaded {
		p.set(view.PresentHistory(p.entries, p.ui.shown.Header.Account, p.ui.look.Search, p.ui.now(), p.ui.p.Words))
	}
}

// list is that of the page shown, or nil.
func (u *UI) list() *rowList {
	switch u.page {
	case view.PageRoles:
		return u.roles.list
	case view.PageRequests:
		return u.requests.list
	case view.PageApprovals:
		return u.approvals.list
	case view.PageHistory:
		return u.history.list
	case view.PageSettings:
	}
	return nil
}
