//go:build !nowindow

package ui_test

import (
	"testing"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

func TestHistoryRowTellsAllThatIsKept(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	e := history()[0]
	e.Ticket, e.Client, e.Request, e.CorrelationID = pim.Ticket{Number: "CHG-88", System: "Jira"}, "tray", "request-2", "correlation-3"
	u.agent.history = []local.HistoryEntry{e}
	u.Show(view.PageHistory)
	u.search("correlation-3 tray jira")
	u.key(fyne.KeyDown)
	u.want("Ticket: Jira CHG-88\nSent by: tray\nRequest id: request-2\nCorrelation id: correlation-3")
	u.tap("Copy details")
	if got := fyne.CurrentApp().Clipboard().Content(); got != "Contributor\n"+viewtest.Production.ID+"\ndone\n13:08 · 1 h · INC-4711 restore\nTicket: Jira CHG-88\nSent by: tray\nRequest id: request-2\nCorrelation id: correlation-3" {
		t.Errorf("copied %q", got)
	}
}
