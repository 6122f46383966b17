package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"roletray/pim"
)

// accountJSON is an account in the output.
type accountJSON struct {
	ID       string           `json:"id"`
	Username string           `json:"username"`
	Name     string           `json:"name,omitempty"`
	TenantID string           `json:"tenantId"`
	Cloud    string           `json:"cloud"`
	Method   pim.SignInMethod `json:"method"`
	// SignIn says why the account must be signed in again, if it must.
	SignIn *pim.Problem `json:"signIn,omitempty"`
}

func accountOf(s *pim.Snapshot) accountJSON {
	a := s.Account
	return accountJSON{a.ID, name(a.Username), name(a.Name), a.TenantID, cmp.Or(a.Cloud.Name, "custom"), a.Method, s.SignIn}
}

// roleJSON is a role in the output. A role that is eligible and active is listed
// once for each.
type roleJSON struct {
	Account   string        `json:"account"`
	Key       pim.Key       `json:"key"`
	State     string        `json:"state"` // eligible or active
	Role      string        `json:"role"`
	Kind      pim.Kind      `json:"kind"`
	Scope     string        `json:"scope"`
	ScopeID   string        `json:"scopeId"`
	ScopeType pim.ScopeType `json:"scopeType,omitempty"`
	Via       pim.Via       `json:"via,omitempty"`
	Start     time.Time     `json:"start,omitzero"`
	// End is when the eligibility or the assignment ends; absent for never.
	End time.Time `json:"end,omitzero"`
	// Behind is the key of the group membership that is activated first, and
	// MayGiveRoles says that the group can hold roles that are not known.
	Behind       pim.Key `json:"behind,omitempty"`
	MayGiveRoles bool    `json:"mayGiveRoles,omitempty"`
	// Type and Certainty are of active roles.
	Type      pim.AssignmentType `json:"type,omitempty"`
	Certainty pim.Certainty      `json:"certainty,omitempty"`
}

// partJSON is a part of the list that could not be read.
type partJSON struct {
	Account string      `json:"account"`
	Part    string      `json:"part"`
	Kind    pim.Kind    `json:"kind"`
	At      time.Time   `json:"at,omitzero"`
	Problem pim.Problem `json:"problem"`
}

// cutJSON is a part of which the service showed only the first rows.
type cutJSON struct {
	Account string   `json:"account"`
	Part    string   `json:"part"`
	Kind    pim.Kind `json:"kind"`
	Shown   int      `json:"shown"`
}

type listJSON struct {
	Accounts []accountJSON `json:"accounts"`
	Roles    []roleJSON    `json:"roles"`
	// Prolongable is what an administrator can be asked to extend or renew.
	Prolongable []prolongableJSON `json:"prolongable"`
	// Stale are the parts that are old, and why.
	Stale []partJSON `json:"stale"`
	// Cut are the parts that may lack rows.
	Cut []cutJSON `json:"cut,omitempty"`
}

func (a *app) listCommand() *cobra.Command {
	var active, eligible, again bool
	c := &cobra.Command{
		Use: "list", Short: "List the roles that are active or may be activated", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			if !active && !eligible {
				active, eligible = true, true
			}
			return a.list(ctx, active, eligible, again)
		}),
	}
	c.Flags().BoolVar(&active, "active", false, "only what is active")
	c.Flags().BoolVar(&eligible, "eligible", false, "only what may be activated")
	refreshFlag(c, &again)
	return c
}

func refreshFlag(c *cobra.Command, again *bool) {
	c.Flags().BoolVar(again, "refresh", false, "read everything again first")
}

func (a *app) list(ctx context.Context, active, eligible, again bool) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := refreshed(ctx, c, again)
	if err != nil {
		return err
	}
	snaps, err := a.accounts(state)
	if err != nil {
		return err
	}
	out := listJSON{Accounts: []accountJSON{}, Roles: []roleJSON{}, Prolongable: []prolongableJSON{}, Stale: []partJSON{}}
	for _, s := range snaps {
		out.Accounts = append(out.Accounts, accountOf(s))
		if active {
			for _, r := range s.Active {
				out.Roles = append(out.Roles, activeJSON(s.Account.ID, r))
			}
		}
		if eligible {
			for _, e := range s.Eligible {
				out.Roles = append(out.Roles, eligibleJSON(s.Account.ID, e))
			}
		}
		for _, p := range prolongable(s, state.Now) {
			if p.Assigned && active || !p.Assigned && eligible {
				out.Prolongable = append(out.Prolongable, p)
			}
		}
		for _, p := range s.Parts {
			if p.Problem != nil {
				out.Stale = append(out.Stale, partJSON{s.Account.ID, p.Name, p.Kind, p.At, *p.Problem})
			}
		}
	}
	out.Cut = cutParts(snaps, pim.PartEligible, pim.PartActive, pim.PartRequests, pim.PartApprovals)
	if a.flags.json {
		err = a.print(out)
	} else {
		err = a.printList(snaps, out, state.Now)
	}
	if err != nil {
		return err
	}
	// Whoever must sign in again has seen an old list, or none.
	if !slices.ContainsFunc(snaps, func(s *pim.Snapshot) bool { return s.SignIn == nil }) {
		return outcome(exitSignIn)
	}
	return nil
}

func roleOf(account string, r pim.Role, state string) roleJSON {
	return roleJSON{
		Account: account, Key: r.Key(), State: state, Role: name(r.Name), Kind: r.Kind,
		Scope: name(r.Scope.Label()), ScopeID: r.Scope.ID, ScopeType: r.Scope.Type,
	}
}

func activeJSON(account string, r pim.ActiveRole) roleJSON {
	out := roleOf(account, r.Assignment.Role, "active")
	out.Via, out.Start, out.End = r.Assignment.Via, r.Assignment.Start, r.Assignment.End
	out.Type, out.Certainty = r.Assignment.Type, r.Certainty
	return out
}

func eligibleJSON(account string, e pim.Eligibility) roleJSON {
	out := roleOf(account, e.Role, "eligible")
	out.Via, out.Start, out.End, out.Behind, out.MayGiveRoles = e.Via, e.Start, e.End, e.Behind, e.MayGiveRoles
	return out
}

func (a *app) printList(snaps []*pim.Snapshot, l listJSON, now time.Time) error {
	if len(l.Roles) == 0 {
		if _, err := fmt.Fprintln(a.Stdout, "No roles."); err != nil {
			return err
		}
	}
	accounts := ownersOf(snaps)
	rows := [][]string{accounts.header("STATE", "ROLE", "SCOPE", "KIND", "UNTIL", "VIA")}
	for _, r := range l.Roles {
		until := cmp.Or(a.moment(r.End, now), "no end")
		if r.Certainty == pim.Unconfirmed {
			until += " (unconfirmed)"
		}
		via := string(r.Via)
		switch {
		case r.Behind != "":
			via = "group, activated first"
		case r.MayGiveRoles:
			via += ", may give roles"
		}
		rows = append(rows, accounts.row(r.Account, r.State, short(r.Role), short(r.Scope), kindName(r.Kind), until, via))
	}
	if len(rows) > 1 {
		if err := table(a.Stdout, rows); err != nil {
			return err
		}
	}
	if err := a.printProlongable(accounts, l.Prolongable, now); err != nil {
		return err
	}
	for _, acc := range l.Accounts {
		if acc.SignIn != nil {
			fmt.Fprintf(a.Stderr, "%s: %s Use: roletray signin\n", acc.Username, clean(acc.SignIn.Text, 300))
		}
	}
	for _, p := range l.Stale {
		age := "were never read"
		if !p.At.IsZero() {
			age = "are from " + a.moment(p.At, now)
		}
		fmt.Fprintf(a.Stderr, "%s %s: %s\n", partName(p.Part, p.Kind), age, clean(p.Problem.Text, 300))
	}
	a.tellCut(l.Cut)
	return nil
}

// cutParts are those of the named parts that may lack rows.
func cutParts(snaps []*pim.Snapshot, parts ...string) []cutJSON {
	var out []cutJSON
	for _, s := range snaps {
		for _, p := range s.Parts {
			if p.Cut > 0 && slices.Contains(parts, p.Name) {
				out = append(out, cutJSON{s.Account.ID, p.Name, p.Kind, p.Cut})
			}
		}
	}
	return out
}

func (a *app) tellCut(all []cutJSON) {
	for _, p := range all {
		fmt.Fprintf(a.Stderr, "%s: Microsoft Graph showed only the first %d; some may be missing.\n", partName(p.Part, p.Kind), p.Shown)
	}
}

func partName(part string, k pim.Kind) string {
	kind := kindName(k) + "s"
	if k == pim.KindGroup {
		kind = "groups"
	}
	if part == "requests" || part == "approvals" {
		return upperFirst(part) + " for " + kind
	}
	return upperFirst(part) + " " + kind
}
