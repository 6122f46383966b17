package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
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
	var search string
	var limit int
	c := &cobra.Command{
		Use: "scopes ROLE [SCOPE]", Short: "List the scopes one level below a role's scope, or below another by its full id, or search all below",
		Example: "roletray scopes owner sandbox /subscriptions/…/resourceGroups/rg-data-dev", Args: someArgs("the role", "list --eligible"),
		RunE: a.run(func(ctx context.Context, args []string) error {
			if limit < 1 {
				return usagef("--limit must be 1 or more.")
			}
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
			read := func(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
				answer, err := c.Children(ctx, local.ChildrenRequest{Account: e.account, Key: e.Role.Key(), Scope: s})
				return answer.Scopes, err
			}
			if search != "" {
				if below.ID == "" {
					below = e.Role.Scope
				}
				return a.searchScopes(ctx, e, below, &local.Walk{Children: read, Most: limit}, search)
			}
			children, err := read(ctx, below)
			if err != nil {
				return err
			}
			if below.ID == "" {
				below = e.Role.Scope
			}
			return a.printScopes(e, below, children, nil)
		}),
	}
	c.Flags().StringVar(&search, "search", "", "list what is at any depth below and has `TEXT` in its name")
	c.Flags().IntVar(&limit, "limit", local.MostLevels, "with --search, read the levels below at most `N` scopes")
	return c
}

// searchScopes lists what matches at any depth. A search that did not come everywhere says so.
func (a *app) searchScopes(ctx context.Context, e eligible, below pim.Scope, w *local.Walk, text string) error {
	query := view.Fold(strings.TrimSpace(text))
	var found []pim.Scope
	seen := map[string]bool{}
	w.Read = func(l local.Level) {
		if l.Done == 0 && a.asks() {
			fmt.Fprintf(a.Stderr, "Searching below %d %s…\n", l.Of, levelWord(l.Type))
		}
		for _, s := range l.Scopes {
			if key := local.WalkKey(s); !seen[key] && strings.Contains(view.Fold(s.Label()), query) {
				seen[key] = true
				found = append(found, s)
			}
		}
	}
	err := w.From(ctx, below)
	if err != nil && (len(found) == 0 || ctx.Err() != nil) && !errors.Is(err, local.ErrBound) {
		return err
	}
	slices.SortStableFunc(found, func(x, y pim.Scope) int { return cmp.Compare(local.WalkKey(x), local.WalkKey(y)) })
	everywhere := err == nil
	if err := a.printScopes(e, below, found, &everywhere); err != nil || everywhere {
		return err
	}
	if errors.Is(err, local.ErrBound) {
		fmt.Fprintf(a.Stderr, "There is more: the search stopped at its limit of %d. Name a scope to search below, or raise --limit.\n", w.Most)
		return nil
	}
	fmt.Fprintln(a.Stderr, "There may be more: the search stopped. "+clean(problemOf(err).Text, 300))
	return outcome(exitCode(ctx, err))
}

// levelWord says of which scopes the levels below are read.
func levelWord(t pim.ScopeType) string {
	switch t {
	case pim.ScopeManagementGroup:
		return "management groups"
	case pim.ScopeSubscription:
		return "subscriptions"
	case pim.ScopeResourceGroup:
		return "resource groups"
	}
	return "scopes"
}

// printScopes lists scopes below another. Where they are what a search found, everywhere says
// whether it came everywhere.
func (a *app) printScopes(e eligible, below pim.Scope, children []pim.Scope, everywhere *bool) error {
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
			// Complete says of a search that it came everywhere.
			Complete *bool `json:"complete,omitempty"`
		}{e.account, e.Role.Key(), scopeOf(below), out, everywhere})
	}
	if len(out) == 0 {
		if everywhere != nil {
			_, err := fmt.Fprintf(a.Stdout, "No scope below %s matches.\n", name(below.Label()))
			return err
		}
		_, err := fmt.Fprintf(a.Stdout, "There is no narrower scope below %s.\n", name(below.Label()))
		return err
	}
	rows := [][]string{{"SCOPE", "TYPE", "ID"}}
	for _, s := range out {
		rows = append(rows, []string{s.Name, string(s.Type), clean(s.ID, 500)})
	}
	return table(a.Stdout, rows)
}
