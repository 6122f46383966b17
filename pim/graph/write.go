package graph

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/wire"
)

// writeBody is what the person asks for.
type writeBody struct {
	Action           string        `json:"action"`
	PrincipalID      string        `json:"principalId"`
	RoleDefinitionID string        `json:"roleDefinitionId,omitempty"`
	DirectoryScopeID string        `json:"directoryScopeId,omitempty"`
	AppScopeID       string        `json:"appScopeId,omitempty"`
	GroupID          string        `json:"groupId,omitempty"`
	AccessID         string        `json:"accessId,omitempty"`
	IsValidationOnly bool          `json:"isValidationOnly,omitempty"`
	Justification    string        `json:"justification,omitempty"`
	ScheduleInfo     *scheduleInfo `json:"scheduleInfo,omitempty"`
	TicketInfo       *ticketInfo   `json:"ticketInfo,omitempty"`
}

func (p *plane) activation(a pim.Activation) writeBody {
	body := writeBody{
		Action:        "selfActivate",
		PrincipalID:   p.userID,
		Justification: a.Justification,
		ScheduleInfo: &scheduleInfo{
			Expiration: expiration{Type: "afterDuration", Duration: wire.FormatDuration(a.Duration)},
		},
	}
	p.fill(&body, a.Role())
	// A start that is not ahead is left out: the service refuses one that its own
	// clock has passed.
	if a.Start.After(p.now()) {
		body.ScheduleInfo.Start = &moment{a.Start.UTC()}
	}
	if a.Ticket != (pim.Ticket{}) {
		body.TicketInfo = &ticketInfo{Number: a.Ticket.Number, System: a.Ticket.System}
	}
	return body
}

// Activate sends a once and returns the request as the service recorded it. Its
// id is the service's own; the client's goes along as the id of the call, for the
// service's logs.
//
// An error with CodeTimeout, CodeUnavailable or CodeUnreadable leaves open
// whether the activation took effect: look with Find. With CodeOffline nothing
// was sent.
func (p *plane) Activate(ctx context.Context, a pim.Activation) (pim.Request, error) {
	made, err := p.ask(ctx, a.ID, p.activation(a), a.Role(), false)
	if err != nil {
		return pim.Request{}, fmt.Errorf("activate one of the %s: %w", p.what, p.explain(err, UseAct))
	}
	return made, nil
}

// Deactivate ends an activation early. The errors are those of Activate. The
// service may also answer with a request that has failed.
func (p *plane) Deactivate(ctx context.Context, d pim.Deactivation) (pim.Request, error) {
	body := writeBody{Action: "selfDeactivate", PrincipalID: p.userID}
	p.fill(&body, d.Assignment.Role)
	made, err := p.ask(ctx, d.ID, body, d.Assignment.Role, false)
	if err != nil {
		return pim.Request{}, fmt.Errorf("deactivate one of the %s: %w", p.what, p.explain(err, UseAct))
	}
	return made, nil
}

// Cancel cancels a request.
func (p *plane) Cancel(ctx context.Context, r pim.Request) error {
	_, err := p.write(ctx, p.collection(r.OfEligibility)+"/"+url.PathEscape(r.ID)+"/cancel", uuid.NewString(), nil)
	if err != nil {
		return fmt.Errorf("cancel a request for %s: %w", p.what, p.explain(err, useOf(r.OfEligibility, UseAct)))
	}
	return nil
}

// Follow reads r again.
func (p *plane) Follow(ctx context.Context, r pim.Request) (pim.Request, error) {
	body, err := p.get(ctx, p.collection(r.OfEligibility)+"/"+url.PathEscape(r.ID))
	if err != nil {
		return pim.Request{}, fmt.Errorf("read a request for %s: %w", p.what, p.explain(err, useOf(r.OfEligibility, UseRequests)))
	}
	now, validated, err := p.asked(body, r.Role, r.OfEligibility)
	if err == nil && validated {
		err = unreadable("the request is a validation")
	}
	if err != nil {
		return pim.Request{}, fmt.Errorf("read a request for %s: %w", p.what, err)
	}
	return now, nil
}

const (
	// earlier is how much before a write its request may seem to be created, since
	// the two clocks differ.
	earlier = 2 * time.Minute
	// sameStart is how far apart two starts may be that were meant as one.
	sameStart = time.Minute
	// sameEnd is how far apart two wished ends may be that were meant as one.
	sameEnd = time.Minute
)

// Find looks for the request that w has made: one that was not known before w was
// sent, was created after that or at most two minutes before it, and asks for the
// same action, role, scope, duration or end, and start. Of several it is the one created
// nearest to w. A request of the day before with the same reason is not it.
func (p *plane) Find(ctx context.Context, w pim.Write) (pim.Request, bool, error) {
	list, _, err := p.own(ctx, w.OfEligibility)
	if err != nil {
		return pim.Request{}, false, fmt.Errorf("look for a request for %s: %w", p.what, p.explain(err, useOf(w.OfEligibility, UseRequests)))
	}
	var best pim.Request
	found := false
	for _, r := range list {
		if !p.isFrom(r, w) {
			continue
		}
		if !found || r.Created.Sub(w.At).Abs() < best.Created.Sub(w.At).Abs() {
			best, found = r, true
		}
	}
	if found {
		best.Role = w.Role
	}
	return best, found, nil
}

func (p *plane) isFrom(r pim.Request, w pim.Write) bool {
	p.mu.Lock()
	first, known := p.seen[r.ID]
	p.mu.Unlock()
	switch {
	case r.Action != w.Action, r.Role.Key() != w.Role.Key(), r.Created.Before(w.At.Add(-earlier)):
		return false
	case known && first.Before(w.At):
		return false
	case !w.End.IsZero():
		if r.EffectiveEnd().Sub(w.End).Abs() > sameEnd {
			return false
		}
	case w.Action != pim.ActionDeactivate && r.Duration != w.Duration.Truncate(time.Second):
		return false
	}
	// A start in the past was not sent, see activation, and none of an extension.
	return w.Action == pim.ActionExtend || !w.Start.After(w.At) || r.EffectiveStart().Sub(w.Start).Abs() <= sameStart
}

// ask sends a request that is meant.
func (p *plane) ask(ctx context.Context, id string, body writeBody, r pim.Role, ofEligibility bool) (pim.Request, error) {
	made, validated, err := p.create(ctx, id, body, r, ofEligibility)
	if validated {
		return pim.Request{}, unreadable("the service calls a request a validation")
	}
	return made, err
}

// create sends a request of the person. validated says that the service calls its
// answer a validation only.
func (p *plane) create(ctx context.Context, id string, body writeBody, r pim.Role, ofEligibility bool) (made pim.Request, validated bool, err error) {
	answer, err := p.write(ctx, p.collection(ofEligibility), id, body)
	if err != nil {
		return pim.Request{}, false, err
	}
	return p.asked(answer, r, ofEligibility)
}

// asked reads the service's record of a request for r, and takes from r the names
// that the record lacks.
func (p *plane) asked(body []byte, r pim.Role, ofEligibility bool) (made pim.Request, validated bool, err error) {
	row, err := one[requestRow](body)
	if err != nil {
		return pim.Request{}, false, err
	}
	if row.IsValidationOnly {
		return pim.Request{}, true, nil
	}
	role, ok := p.role(row.roleIDs)
	q := row.request(role)
	q.OfEligibility = ofEligibility
	if !ok || q.Status == "" || !wire.PlainID(q.ID) {
		return pim.Request{}, false, unreadable("the answer holds no request")
	}
	if role.Key() == r.Key() {
		q.Role = r
	}
	p.note(q)
	return q, false, nil
}
