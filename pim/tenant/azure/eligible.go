package azure

import (
	"net/http"

	"roletray/pim/tenant/ledger"
)

// The names of the things as they stand in ids and types.
const (
	kindEligibilityInstance = "RoleEligibilityScheduleInstances"
	kindEligibilitySchedule = "RoleEligibilitySchedules"
	kindEligibilityRequest  = "RoleEligibilityScheduleRequests"
	kindAssignmentInstance  = "RoleAssignmentScheduleInstances"
	kindAssignmentSchedule  = "RoleAssignmentSchedules"
	kindAssignmentRequest   = "RoleAssignmentScheduleRequests"
)

// eligibleRow is an eligibility as one row of a listing.
type eligibleRow struct {
	*ledger.Eligibility
	// via is the subscription through which an inherited row arrives.
	via       *node
	inherited bool
}

// place is where the id of the row says that it is.
func (r eligibleRow) place(own *node) *node {
	if r.via != nil {
		return r.via
	}
	return own
}

func (c *call) eligibleRows(keep func(*ledger.Eligibility) bool) ([]eligibleRow, error) {
	sel, err := c.selection(false)
	if err != nil {
		return nil, err
	}
	duplicate := c.settings.DuplicateInherited && c.node.kind == typeTenant && sel.asTarget
	held := c.s.books.Eligibilities(c.who(sel))
	out := make([]eligibleRow, 0, len(held))
	for i := range held {
		e := &held[i]
		if !keep(e) {
			continue
		}
		r := c.reach(sel, e.Target)
		if r == outside {
			continue
		}
		out = append(out, eligibleRow{Eligibility: e, inherited: r == above})
		if !duplicate {
			continue
		}
		if n := c.s.tree.nodes[e.Target.Scope]; n.kind == typeManagementGroup {
			for _, sub := range n.subscriptions() {
				out = append(out, eligibleRow{Eligibility: e, via: sub, inherited: true})
			}
		}
	}
	return out, nil
}

func (c *call) listEligibilityInstances([]string) error {
	now := c.s.clock.Now()
	rows, err := c.eligibleRows(func(e *ledger.Eligibility) bool { return e.InForce(now) })
	if err != nil {
		return err
	}
	return writePage(c, rows, c.s.eligibilityInstance)
}

func (c *call) listEligibilitySchedules([]string) error {
	rows, err := c.eligibleRows(func(*ledger.Eligibility) bool { return true })
	if err != nil {
		return err
	}
	return writePage(c, rows, c.s.eligibilitySchedule)
}

func (c *call) getEligibilityInstance(names []string) error {
	e, err := c.eligibility(names[0])
	if err != nil {
		return err
	}
	if !is(e.InstanceID, names[0]) || !e.InForce(c.s.clock.Now()) {
		return notFound("role eligibility schedule instance", names[0])
	}
	writeJSON(c.w, http.StatusOK, c.s.eligibilityInstance(eligibleRow{Eligibility: &e}))
	return nil
}

func (c *call) getEligibilitySchedule(names []string) error {
	e, err := c.eligibility(names[0])
	if err != nil {
		return err
	}
	if !is(e.ID, names[0]) {
		return notFound("role eligibility schedule", names[0])
	}
	writeJSON(c.w, http.StatusOK, c.s.eligibilitySchedule(eligibleRow{Eligibility: &e}))
	return nil
}

// eligibility is the caller's own with that id at the scope in the path.
func (c *call) eligibility(id string) (ledger.Eligibility, error) {
	e, ok := c.s.books.Eligibility(id)
	if !ok || !c.mayRead(e.Target, e.Principal) {
		return e, notFound("role eligibility schedule", id)
	}
	return e, nil
}

// mayRead reports whether a row can be read by its name at the scope in the
// path: below the tenant it has to be the row's own or one that inherits it.
func (c *call) mayRead(t ledger.Target, principal string) bool {
	if c.node.kind != typeTenant && !c.s.books.Within(c.node.id, t.Scope) {
		return false
	}
	return c.holds(principal) || c.checkManages() == nil
}

func (s *Service) eligibilityGrant(r eligibleRow) (grant, *node) {
	g, n := s.expand(r.Target, r.Principal)
	g.StartDateTime, g.EndDateTime, g.CreatedOn = stamp{r.Start}, stamp{r.End}, stamp{r.Created}
	g.Condition, g.ConditionVersion = r.Condition, r.ConditionVersion
	if r.inherited {
		g.MemberType = "Inherited"
	}
	return g, n
}

func (s *Service) eligibilityInstance(r eligibleRow) resource {
	g, n := s.eligibilityGrant(r)
	schedule := at(n, kindEligibilitySchedule, r.ID, nil).ID
	return at(r.place(n), kindEligibilityInstance, r.InstanceID, eligibilityInstance{grant: g, RoleEligibilityScheduleID: schedule})
}

func (s *Service) eligibilitySchedule(r eligibleRow) resource {
	g, n := s.eligibilityGrant(r)
	g.UpdatedOn = stamp{r.Updated}
	request := at(n, kindEligibilityRequest, r.RequestID, nil).ID
	return at(r.place(n), kindEligibilitySchedule, r.ID, eligibilitySchedule{grant: g, RoleEligibilityScheduleRequestID: request})
}
