package azure

import (
	"net/http"
	"time"

	"roletray/pim/tenant/ledger"
)

// activeRow is an assignment as one row of a listing.
type activeRow struct {
	ledger.Assignment
	inherited bool
}

func (c *call) activeRows(list func(ledger.Holder) []ledger.Assignment) ([]activeRow, error) {
	sel, err := c.selection(false)
	if err != nil {
		return nil, err
	}
	var out []activeRow
	for _, a := range list(c.who(sel)) {
		if r := c.reach(sel, a.Target); r != outside {
			out = append(out, activeRow{a, r == above})
		}
	}
	return out, nil
}

func (c *call) listAssignmentInstances([]string) error {
	rows, err := c.activeRows(c.s.books.Active)
	if err != nil {
		return err
	}
	if c.node.kind == typeTenant {
		if rows, err = c.rootActive(rows); err != nil {
			return err
		}
	}
	return writePage(c, rows, c.s.assignmentInstance)
}

// rootActive makes the listing at the tenant root as slow and as unreliable as
// the settings want it.
func (c *call) rootActive(rows []activeRow) ([]activeRow, error) {
	if ms := c.settings.RootActiveLatencyMs; ms > 0 {
		t := time.NewTimer(time.Duration(ms) * time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-c.r.Context().Done():
			return nil, c.r.Context().Err()
		}
	}
	switch c.settings.RootActive {
	case "empty":
		return nil, nil
	case "drops":
		n := int(c.s.rootReads.Add(1))
		var some []activeRow
		for i, r := range rows {
			if (i+n)%3 != 0 {
				some = append(some, r)
			}
		}
		return some, nil
	}
	return rows, nil
}

func (c *call) listAssignmentSchedules([]string) error {
	rows, err := c.activeRows(c.s.books.Assignments)
	if err != nil {
		return err
	}
	return writePage(c, rows, c.s.assignmentSchedule)
}

func (c *call) getAssignmentInstance(names []string) error {
	a, err := c.assignment(names[0])
	if err != nil {
		return err
	}
	if !is(a.InstanceID, names[0]) || !c.s.books.IsListed(a) {
		return notFound("role assignment schedule instance", names[0])
	}
	writeJSON(c.w, http.StatusOK, c.s.assignmentInstance(activeRow{Assignment: a}))
	return nil
}

func (c *call) getAssignmentSchedule(names []string) error {
	a, err := c.assignment(names[0])
	if err != nil {
		return err
	}
	if !is(a.ID, names[0]) {
		return notFound("role assignment schedule", names[0])
	}
	writeJSON(c.w, http.StatusOK, c.s.assignmentSchedule(activeRow{Assignment: a}))
	return nil
}

func (c *call) assignment(id string) (ledger.Assignment, error) {
	a, ok := c.s.books.Assignment(id)
	if !ok || !c.mayRead(a.Target, a.Principal) {
		return a, notFound("role assignment schedule", id)
	}
	return a, nil
}

func (s *Service) assignmentGrant(r activeRow) (grant, *node, string) {
	g, n := s.expand(r.Target, r.Principal)
	g.StartDateTime, g.EndDateTime, g.CreatedOn = stamp{r.Start}, stamp{r.End}, stamp{r.Created}
	g.Condition, g.ConditionVersion = r.Condition, r.ConditionVersion
	if r.inherited {
		g.MemberType = "Inherited"
	}
	if r.Activated() {
		return g, n, "Activated"
	}
	return g, n, "Assigned"
}

func (s *Service) assignmentInstance(r activeRow) resource {
	g, n, kind := s.assignmentGrant(r)
	return at(n, kindAssignmentInstance, r.InstanceID, assignmentInstance{
		grant:                                   g,
		AssignmentType:                          kind,
		OriginRoleAssignmentID:                  at(n, "roleAssignments", derived(r.InstanceID, "origin"), nil).ID,
		RoleAssignmentScheduleID:                at(n, kindAssignmentSchedule, r.ID, nil).ID,
		LinkedRoleEligibilityScheduleID:         r.Eligibility,
		LinkedRoleEligibilityScheduleInstanceID: r.EligibilityInstance,
	})
}

func (s *Service) assignmentSchedule(r activeRow) resource {
	g, n, kind := s.assignmentGrant(r)
	g.UpdatedOn = stamp{r.Updated}
	if s.clock.Now().Before(r.Start) {
		g.Status = "Granted"
	}
	return at(n, kindAssignmentSchedule, r.ID, assignmentSchedule{
		grant:                           g,
		AssignmentType:                  kind,
		RoleAssignmentScheduleRequestID: at(n, kindAssignmentRequest, r.RequestID, nil).ID,
		LinkedRoleEligibilityScheduleID: r.Eligibility,
	})
}
