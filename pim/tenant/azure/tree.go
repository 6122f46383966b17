package azure

import (
	"fmt"
	"strings"
)

// root is the folded id of the tenant itself.
const root = "/"

// The types of scope, as expandedProperties and eligibleChildResources name them.
const (
	typeTenant          = "tenant"
	typeManagementGroup = "managementgroup"
	typeSubscription    = "subscription"
	typeResourceGroup   = "resourcegroup"
)

// node is a scope in its place.
type node struct {
	// id is folded; shown is as answers show it.
	id, shown string
	name      string
	kind      string
	parent    *node
	children  []*node
	locked    bool
}

// tree is every scope there is. It does not change after it was made.
type tree struct {
	nodes map[string]*node
	root  *node
}

// fold makes scope ids comparable: lower case, the root as a slash.
func fold(id string) string {
	id = strings.ToLower(strings.TrimRight(id, "/"))
	if id == "" {
		return root
	}
	return id
}

func newTree(scopes []Scope, tenantName string) (*tree, error) {
	top := &node{id: root, shown: "/", name: tenantName, kind: typeTenant}
	t := &tree{nodes: map[string]*node{root: top}, root: top}
	for _, s := range scopes {
		p, err := parseScope(s.ID)
		if err != nil {
			return nil, fmt.Errorf("scope %q: %w", s.ID, err)
		}
		name := s.Name
		if name == "" {
			name = s.ID[strings.LastIndex(s.ID, "/")+1:]
		}
		if t.nodes[fold(s.ID)] != nil {
			return nil, fmt.Errorf("scope %q: named twice", s.ID)
		}
		t.nodes[fold(s.ID)] = &node{id: fold(s.ID), shown: s.ID, name: name, kind: p.kind, locked: s.Locked}
	}
	for _, s := range scopes {
		n := t.nodes[fold(s.ID)]
		above := s.Parent
		if n.kind != typeManagementGroup && n.kind != typeSubscription {
			above = container(s.ID)
		}
		if n.parent = t.nodes[fold(above)]; n.parent == nil {
			return nil, fmt.Errorf("scope %q: no scope %q above it", s.ID, above)
		}
		n.parent.children = append(n.parent.children, n)
	}
	for _, n := range t.nodes {
		seen := 0
		for up := n; up.parent != nil; up = up.parent {
			if seen++; seen > len(t.nodes) {
				return nil, fmt.Errorf("scope %q: lies in itself", n.shown)
			}
		}
	}
	return t, nil
}

// container is the id of the resource group or subscription that holds a
// resource group or resource.
func container(id string) string {
	parts := strings.Split(strings.TrimPrefix(id, "/"), "/")
	if len(parts) > 4 && strings.EqualFold(parts[2], "resourceGroups") {
		return "/" + strings.Join(parts[:4], "/")
	}
	return "/" + strings.Join(parts[:min(2, len(parts))], "/")
}

// Parent implements ledger.Tree.
func (t *tree) Parent(scope string) (string, bool) {
	n := t.nodes[scope]
	if n == nil || n.parent == nil {
		return "", false
	}
	return n.parent.id, true
}

// subscriptions are those below n.
func (n *node) subscriptions() []*node {
	if n.kind == typeSubscription {
		return nil
	}
	var out []*node
	for _, c := range n.children {
		if c.kind == typeSubscription {
			out = append(out, c)
		}
		out = append(out, c.subscriptions()...)
	}
	return out
}

// prefix is what stands before /providers in ids of things at the scope.
func (n *node) prefix() string {
	if n.kind == typeTenant {
		return ""
	}
	return n.shown
}

// roleDefinitionID is the id of a role as it is written at the scope: within a
// subscription with the subscription's id in front.
func (n *node) roleDefinitionID(role string) string {
	for up := n; up != nil; up = up.parent {
		if up.kind == typeSubscription {
			return up.shown + roleDefinitions + role
		}
	}
	return roleDefinitions + role
}

const roleDefinitions = "/providers/Microsoft.Authorization/roleDefinitions/"
