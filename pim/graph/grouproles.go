package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"roletray/pim"
)

// RolesOf lists the provider's roles that a group is eligible for or holds: of
// Directory its directory roles, of Groups the groups that it is nested in. It
// asks for the group's rows by the group's own id, which Graph grants to few
// people: the refusal is CodeForbidden or CodeConsent and means that nobody knows.
func (p *plane) RolesOf(ctx context.Context, groupID string) ([]pim.GroupRole, error) {
	list, err := p.rolesOf(ctx, groupID)
	if err != nil {
		return nil, fmt.Errorf("list what a group brings of %s: %w", p.what, err)
	}
	var roles []*pim.Role
	for i := range list {
		roles = append(roles, &list[i].Role)
	}
	p.nameRoles(ctx, roles)
	return list, nil
}

func (p *plane) rolesOf(ctx context.Context, groupID string) ([]pim.GroupRole, error) {
	var found []pim.GroupRole
	type known struct {
		key      pim.Key
		eligible bool
	}
	seen := map[known]bool{}
	for _, read := range []struct {
		collection string
		use        Use
		eligible   bool
	}{{p.eligibilities, UseEligible, true}, {p.assignments, UseActive, false}} {
		all, err := rows(list[instanceRow](ctx, p.Client, read.collection+query("$filter", "principalId eq "+quoted(groupID), "$expand", p.expand)))
		if e, ok := errors.AsType[*pim.Error](err); ok && e.Code == pim.CodeRejected {
			e.Code = pim.CodeForbidden // Some say so with 400 and codes of their own.
		}
		if err != nil {
			return nil, p.explain(err, read.use)
		}
		for _, row := range all {
			r, ok := p.role(row.roleIDs)
			k := known{r.Key(), read.eligible}
			if !ok || seen[k] || !strings.EqualFold(row.PrincipalID, groupID) {
				continue
			}
			seen[k] = true
			found = append(found, pim.GroupRole{Role: r, Eligible: read.eligible})
		}
	}
	return found, nil
}
