package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

// scopeJSON is a scope in the output.
type scopeJSON struct {
	ID   string        `json:"id"`
	Name string        `json:"name"`
	Type pim.ScopeType `json:"type,omitempty"`
}

func scopeOf(s pim.Scope) scopeJSON { return scopeJSON{s.ID, name(s.Label()), s.Type} }

func (a *app) scopesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "scopes ROLE [SCOPE]", Short: "List the scopes one level below a role's scope, or below another by its full id",
		Example: "roletray scopes owner sandbox /subscriptions/…/resourceGroups/rg-data-dev", Args: someArgs("the role", "list --eligible"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			below := pim.Scope{}
			if last := args[len(args)-1]; len(args) > 1 && strings.HasPrefix(last, "/") {
				args, below.ID = args[:len(args)-1], strings.TrimRight(last, "/")
			}
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			state, err := ready(ctx, c)
			if err != nil {
				return err
			}
			e, _, err := a.findEligible(state, args, "")
			if err != nil {
				return err
			}
			answer, err := c.Children(ctx, local.ChildrenRequest{Account: e.account, Key: e.Role.Key(), Scope: below})
			if err != nil {
				return err
			}
			if below.ID == "" {
				below = e.Role.Scope
			}
			return a.printScopes(e, below, answer.Scopes)
		}),
	}
}

func (a *app) printScopes(e eligible, below pim.Scope, children []pim.Scope) error {
	out := make([]scopeJSON, 0, len(children))
	for _, s := range children {
		out = append(out, scopeOf(s))
	}
	if a.flags.json {
		return a.print(struct {
			Account string      `json:"account"`
			Key     pim.Key     `json:"key"`
			Below   scopeJSON   `json:"below"`
			Scopes  []scopeJSON `json:"scopes"`
		}{e.account, e.Role.Key(), scopeOf(below), out})
	}
	if len(out) == 0 {
		_, err := fmt.Fprintf(a.Stdout, "There is no narrower scope below %s.\n", name(below.Label()))
		return err
	}
	rows := [][]string{{"SCOPE", "TYPE", "ID"}}
	for _, s := range out {
		rows = append(rows, []string{s.Name, string(s.Type), clean(s.ID, 500)})
	}
	return table(a.Stdout, rows)
}
