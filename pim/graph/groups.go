package graph

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"roletray/pim"
	"roletray/pim/wire"
)

// maxSettingsReads is how many reads of groups' settings are under way at once.
// What is wanted meanwhile gathers for the next batch.
const maxSettingsReads = 4

// Groups is a pim.Provider, with everything else that a provider can be but a
// pim.ScopeBrowser, for membership and ownership of groups under PIM for
// Groups. It is safe for concurrent use.
type Groups struct {
	plane
	// settings are the role settings of a group, by access, under the group's id.
	settings *loader[map[string]pim.Policy]

	knownMu sync.Mutex
	// known are the groups of the last list, whose settings are worth reading along.
	known []string
}

var (
	_ pim.Provider     = (*Groups)(nil)
	_ pim.Pager        = (*Groups)(nil)
	_ pim.Decider      = (*Groups)(nil)
	_ pim.ReviewReader = (*Groups)(nil)
	_ pim.Prolonger    = (*Groups)(nil)
	_ pim.GroupReader  = (*Groups)(nil)
	_ pim.Cutter       = (*Groups)(nil)
)

func newGroups(c *Client) *Groups {
	const base = "/identityGovernance/privilegedAccess/group/"
	g := &Groups{plane: plane{
		Client: c, kind: pim.KindGroup, what: "groups",
		eligibilities: base + "eligibilityScheduleInstances",
		assignments:   base + "assignmentScheduleInstances",
		requests:      base + "assignmentScheduleRequests",
		prolongations: base + "eligibilityScheduleRequests",
		// Tools in use know the second form only.
		approvals: []approvalPlace{{version1, base + "assignmentApprovals", "stages"}, {beta, base + "assignmentApprovals", "steps"}},
		role:      groupRole,
		nameOf:    func(r pim.Role) string { return groupName + strings.ToLower(r.Scope.ID) },
		fill: func(body *writeBody, r pim.Role) {
			body.GroupID, body.AccessID = r.Scope.ID, string(r.Access)
		},
	}}
	g.settings = &loader[map[string]pim.Policy]{
		now: c.now, read: g.readSettings, most: maxBatch, slots: make(chan struct{}, maxSettingsReads),
	}
	return g
}

func groupRole(ids roleIDs) (pim.Role, bool) {
	access := pim.Access(strings.ToLower(ids.AccessID))
	r := pim.Role{
		Kind: pim.KindGroup, DefinitionID: string(access), Access: access,
		Scope: pim.Scope{ID: ids.GroupID, Type: pim.ScopeGroup},
	}
	switch access {
	case pim.AccessMember:
		r.Name = "Member"
	case pim.AccessOwner:
		r.Name = "Owner"
	default:
		r.Name = pim.CleanText(ids.AccessID, maxName)
	}
	return r, wire.PlainID(ids.GroupID) && wire.PlainID(ids.AccessID)
}

// Eligible lists what the person may activate, by group and access.
func (g *Groups) Eligible(ctx context.Context) ([]pim.Eligibility, error) {
	return wire.Last(g.EligiblePages(ctx))
}

// EligiblePages is Eligible as its pages come: each time all that is known by then, the
// last time everything. An error ends it.
func (g *Groups) EligiblePages(ctx context.Context) iter.Seq2[[]pim.Eligibility, error] {
	return func(yield func([]pim.Eligibility, error) bool) {
		for list, err := range g.plane.EligiblePages(ctx) {
			if err == nil {
				g.remember(list)
			}
			if !yield(list, err) {
				return
			}
		}
	}
}

// remember keeps the groups of a list.
func (g *Groups) remember(list []pim.Eligibility) {
	var known []string
	for _, e := range list {
		known = append(known, strings.ToLower(e.Role.Scope.ID))
	}
	slices.Sort(known)
	known = slices.Compact(known)
	g.knownMu.Lock()
	defer g.knownMu.Unlock()
	g.known = known
}

// Check judges a by the group's settings here, since nothing shows that the
// service honours isValidationOnly for groups: where it does not, a check would
// be an activation. It cannot tell what only the service knows.
func (g *Groups) Check(ctx context.Context, a pim.Activation) error {
	p, err := g.Policy(ctx, a.Eligibility)
	if err != nil {
		return fmt.Errorf("check a group's activation: %w", err)
	}
	if broken := p.Check(a, g.now()); len(broken) > 0 {
		return fmt.Errorf("check a group's activation: %w", &pim.Error{Code: pim.CodePolicy, Rules: broken})
	}
	return nil
}

// Policy reads what activating e asks for. One call brings the settings of up to
// twenty groups, of those that others ask for at the same time and of those in
// the last list, and serves everybody who asks within five minutes. A refusal to
// read settings is pim.Policy{} and no error.
func (g *Groups) Policy(ctx context.Context, e pim.Eligibility) (pim.Policy, error) {
	id := strings.ToLower(e.Role.Scope.ID)
	g.knownMu.Lock()
	along := g.known
	g.knownMu.Unlock()
	got, err := g.settings.load(ctx, []string{id}, along)
	if err == nil {
		err = got[id].err
	}
	if err != nil {
		return pim.Policy{}, fmt.Errorf("read the settings of a group: %w", err)
	}
	return got[id].value[string(e.Role.Access)], nil
}

func (g *Groups) readSettings(ctx context.Context, ids []string) map[string]loaded[map[string]pim.Policy] {
	items := make([]item, len(ids))
	for i, id := range ids {
		items[i].path = policyPath(id, "Group")
	}
	got := map[string]loaded[map[string]pim.Policy]{}
	for i, a := range g.batch(ctx, items) {
		found, err := listed[policyRow](ctx, g.Client, a)
		got[ids[i]] = g.settled(g.policies(found), err)
	}
	return got
}
