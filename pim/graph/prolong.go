package graph

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roletray/pim"
)

// Prolong asks an administrator for more time. The errors are those of Activate;
// after an answer that was lost, Find looks where w says that the request is. For
// an eligibility it takes a permission of its own: without that the error is a
// ConsentError that names it.
func (p *plane) Prolong(ctx context.Context, w pim.Prolongation) (pim.Request, error) {
	made, err := p.prolong(ctx, w)
	if err != nil {
		return pim.Request{}, fmt.Errorf("ask for more time with one of the %s: %w", p.what, p.explain(err, useOf(w.Eligibility != nil, UseAct)))
	}
	return made, nil
}

func (p *plane) prolong(ctx context.Context, w pim.Prolongation) (pim.Request, error) {
	action := "selfExtend"
	switch {
	case w.Action == pim.ActionRenew:
		action = "selfRenew"
	case w.Action != pim.ActionExtend:
		return pim.Request{}, fmt.Errorf("%q neither extends nor renews", w.Action)
	}
	switch {
	case (w.Eligibility == nil) == (w.Assignment == nil):
		return pim.Request{}, errors.New("it must be for either an eligibility or an assignment")
	case w.End.IsZero():
		return pim.Request{}, errors.New("the wished end is missing")
	}
	body := writeBody{
		Action:        action,
		PrincipalID:   p.userID,
		Justification: w.Justification,
		ScheduleInfo: &scheduleInfo{
			Expiration: expiration{Type: "afterDateTime", End: &moment{w.End.UTC().Truncate(time.Second)}},
		},
	}
	p.fill(&body, w.Role())
	// An extension goes on from where the time ends. A start that is not ahead would
	// be refused, see activation.
	if w.Action == pim.ActionRenew && w.Start.After(p.now()) {
		body.ScheduleInfo.Start = &moment{w.Start.UTC()}
	}
	return p.ask(ctx, w.ID, body, w.Role(), w.Eligibility != nil)
}
