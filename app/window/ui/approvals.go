//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
)

// approvalsPage lists what waits for the person's decision, with the marked ones below.
type approvalsPage struct {
	*listPage
	object  *fyne.Container
	bar     fyne.CanvasObject
	barText *widget.Label
	account string
}

func newApprovalsPage(u *UI) *approvalsPage {
	w := u.p.Words
	p := &approvalsPage{listPage: newListPage(u), barText: oneLine("")}
	p.list.actions = p
	decide := newButton(u, w.Say("verb.decide"), nil, p.decideMarked)
	decide.Importance = widget.HighImportance
	p.bar = p.markBar(p.barText, decide)
	p.object = container.NewBorder(nil, p.bar, nil, nil, p.listPage.object)
	return p
}

func (p *approvalsPage) set(v view.Window) {
	if p.account != v.Header.Account {
		p.account = v.Header.Account
		clear(p.list.marked)
	}
	p.listPage.set(v.Approvals, v.ApprovalsEmpty)
	p.marksChanged()
}

// act decides the marked requests where Enter is pressed on one of them.
func (p *approvalsPage) act(r view.Row) {
	if p.list.isMarked(r) && len(p.list.markedRows()) > 1 {
		p.decideMarked()
		return
	}
	p.ui.act(r.Action)
}

func (p *approvalsPage) marksChanged() {
	n := len(p.list.markedRows())
	if n > 0 {
		setLabel(p.barText, p.ui.p.Words.Count("approvals.selected", n), widget.MediumImportance)
	}
	if (n > 0) != p.bar.Visible() {
		setVisible(p.bar, n > 0)
		relayout(p.object)
	}
}

func (p *approvalsPage) decideMarked() {
	var wanted []view.OpenDecision
	for _, r := range p.list.markedRows() {
		if a, ok := r.Action.(view.OpenDecision); ok {
			wanted = append(wanted, a)
		}
	}
	if len(wanted) > 0 {
		p.ui.openDecision(p.account, wanted)
	}
}
