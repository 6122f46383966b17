package agent

import (
	"context"
	"slices"
	"strings"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/store"
)

// History is what was done, the newest first.
func (a *Agent) History(_ context.Context, req local.HistoryRequest) (local.HistoryAnswer, error) {
	all := a.all()
	if req.Account != "" {
		r, err := a.session(req.Account)
		if err != nil {
			return local.HistoryAnswer{}, err
		}
		all = []*running{r}
	}
	if req.Most < 0 {
		return local.HistoryAnswer{}, local.NewError(local.CodeBadRequest, "The number of entries must not be below 0.")
	}
	words := strings.Fields(view.Fold(req.Search))
	answer := local.HistoryAnswer{Entries: []local.HistoryEntry{}}
	for _, r := range all {
		for _, e := range r.session.History() {
			if mentions(e, words) {
				answer.Entries = append(answer.Entries, local.HistoryEntry{Account: r.account.ID, Entry: e})
			}
		}
	}
	slices.SortStableFunc(answer.Entries, func(x, y local.HistoryEntry) int { return y.At.Compare(x.At) })
	if req.Most > 0 && len(answer.Entries) > req.Most {
		answer.Entries = answer.Entries[:req.Most]
	}
	return answer, nil
}

// mentions says whether each of the folded words is somewhere in an entry.
func mentions(e store.Entry, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := []string{
		string(e.Action), string(e.Role.Kind), e.Role.Name, e.Role.Scope.Label(), e.Role.Scope.ID, e.Justification, e.Ticket.Number, e.Ticket.System,
		e.Requestor.Name, e.Requestor.ID, e.Review.By.Name, e.Review.By.ID, e.Review.Reason, e.Client, string(e.State), string(e.Status), e.ID, e.Request, e.CorrelationID,
	}
	if e.Problem != nil {
		text = append(text, e.Problem.Text)
	}
	folded := view.Fold(strings.Join(text, "\n"))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(folded, w) })
}

// Export is the history as the text of a file.
func (a *Agent) Export(ctx context.Context, req local.ExportRequest) (local.ExportAnswer, error) {
	answer, err := a.History(ctx, req.HistoryRequest)
	if err != nil {
		return local.ExportAnswer{}, err
	}
	entries := make([]store.Entry, 0, len(answer.Entries))
	for _, e := range answer.Entries {
		entries = append(entries, e.Entry)
	}
	var text strings.Builder
	switch req.Format {
	case local.ExportCSV:
		err = store.WriteCSV(&text, entries)
	case local.ExportJSON:
		err = store.WriteJSON(&text, entries)
	default:
		err = local.NewError(local.CodeBadRequest, "The history can be written as csv or json, not as "+pim.CleanText(string(req.Format), 20)+".")
	}
	return local.ExportAnswer{Text: text.String()}, err
}
