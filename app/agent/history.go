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
	found := view.HistorySearch(req.Search)
	answer := local.HistoryAnswer{Entries: []local.HistoryEntry{}}
	for _, r := range all {
		for _, e := range r.session.History() {
			if entry := (local.HistoryEntry{Account: r.account.ID, Entry: e}); found(entry) {
				answer.Entries = append(answer.Entries, entry)
			}
		}
	}
	slices.SortStableFunc(answer.Entries, func(x, y local.HistoryEntry) int { return y.At.Compare(x.At) })
	if req.Most > 0 && len(answer.Entries) > req.Most {
		answer.Entries = answer.Entries[:req.Most]
	}
	return answer, nil
}

// Export is the history as the text of a file.
func (a *Agent) Export(ctx context.Context, req local.ExportRequest) (local.ExportAnswer, error) {
	answer, err := a.History(ctx, req.HistoryRequest)
	if err != nil {
		return local.ExportAnswer{}, err
	}
	var text strings.Builder
	switch req.Format {
	case local.ExportCSV:
		err = store.WriteCSV(&text, answer.Entries)
	case local.ExportJSON:
		err = store.WriteJSON(&text, answer.Entries)
	default:
		err = local.NewError(local.CodeBadRequest, "The history can be written as csv or json, not as "+pim.CleanText(string(req.Format), 20)+".")
	}
	return local.ExportAnswer{Text: text.String()}, err
}
