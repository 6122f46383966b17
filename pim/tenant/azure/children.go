package azure

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

type child struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
}

// listChildren lists management groups, subscriptions and resource groups below
// the scope, one level deep, as far as the caller's eligibilities reach.
func (c *call) listChildren([]string) error {
	var kinds []string
	if filter := strings.TrimSpace(c.query["$filter"]); filter != "" {
		terms, join, err := parseFilter(filter)
		if err != nil || join == "and" {
			return invalidFilter(filter)
		}
		for _, t := range terms {
			if t.name != "resourcetype" || t.function {
				return invalidFilter(filter)
			}
			kinds = append(kinds, strings.ToLower(t.arg))
		}
	}
	all := is(c.query["getallchildren"], "true") || is(c.query["$getallchildren"], "true")
	now := c.s.clock.Now()
	var at []string
	for _, e := range c.s.books.Eligibilities(ledger.Holder{User: c.caller.UserID}) {
		if e.InForce(now) {
			at = append(at, e.Target.Scope)
		}
	}
	// Seen from below: every scope that holds an eligibility somewhere inside.
	leads := map[string]bool{}
	for _, scope := range at {
		for up, ok := scope, true; ok && !leads[up]; up, ok = c.s.tree.Parent(up) {
			leads[up] = true
		}
	}
	covered := slices.ContainsFunc(at, func(scope string) bool { return c.s.books.Within(c.node.id, scope) })
	var rows []*node
	var walk func(n *node, covered bool)
	walk = func(n *node, covered bool) {
		for _, k := range n.children {
			switch k.kind {
			case typeManagementGroup, typeSubscription, typeResourceGroup:
			default:
				continue
			}
			inside := covered || slices.Contains(at, k.id)
			if !inside && !leads[k.id] {
				continue
			}
			if len(kinds) == 0 || slices.Contains(kinds, k.kind) {
				rows = append(rows, k)
			}
			if all {
				walk(k, inside)
			}
		}
	}
	walk(c.node, covered)
	return writePage(c, rows, func(n *node) child { return child{ID: n.shown, Name: n.name, Type: n.kind} })
}

// mayReadScope reports whether an active role, of any kind, reaches the scope.
func (c *call) mayReadScope(n *node) bool {
	for _, a := range c.s.books.InForce(ledger.Holder{User: c.caller.UserID}) {
		if c.s.books.Within(n.id, a.Target.Scope) {
			return true
		}
	}
	return false
}

type armResource struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Location string `json:"location"`
}

func (c *call) listResources(names []string) error {
	if uuid.Validate(names[0]) != nil || c.s.tree.nodes[fold("/subscriptions/"+names[0])] == nil {
		return noSubscription(names[0])
	}
	n, err := c.s.find(scopePath{id: "/subscriptions/" + names[0] + "/resourceGroups/" + names[1], kind: typeResourceGroup})
	if err != nil {
		return err
	}
	if !c.mayReadScope(n) {
		return c.s.denied(c.caller, "Microsoft.Resources/subscriptions/resourceGroups/resources/read", n.shown)
	}
	return writePage(c, n.children, func(r *node) armResource {
		parts := segments(r.shown)
		kind := parts[5]
		for i := 6; i < len(parts); i += 2 {
			kind += "/" + parts[i]
		}
		return armResource{ID: r.shown, Name: lastPart(r.shown), Type: kind, Location: "westeurope"}
	})
}

type subscription struct {
	ID             string `json:"id"`
	SubscriptionID string `json:"subscriptionId"`
	TenantID       string `json:"tenantId"`
	DisplayName    string `json:"displayName"`
	State          string `json:"state"`
}

// listSubscriptions lists those in which the caller has an active role.
func (c *call) listSubscriptions([]string) error {
	var active []string
	for _, a := range c.s.books.InForce(ledger.Holder{User: c.caller.UserID}) {
		active = append(active, a.Target.Scope)
	}
	rows := slices.DeleteFunc(c.s.tree.root.subscriptions(), func(n *node) bool {
		return !slices.ContainsFunc(active, func(scope string) bool {
			return c.s.books.Within(scope, n.id) || c.s.books.Within(n.id, scope)
		})
	})
	return writePage(c, rows, func(n *node) subscription {
		return subscription{
			ID: n.shown, SubscriptionID: lastPart(n.shown), TenantID: c.s.directory.TenantID, DisplayName: n.name, State: "Enabled",
		}
	})
}
