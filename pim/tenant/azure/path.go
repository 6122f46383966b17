package azure

import (
	"errors"
	"strings"

	"github.com/google/uuid"
)

var errScope = errors.New("not a scope")

// scopePath is a scope as a path names it. It need not exist.
type scopePath struct {
	// id is the ARM id without a closing slash; empty for the tenant.
	id   string
	kind string
}

// route is what a request path names.
type route struct {
	scope scopePath
	// rest are the segments after Microsoft.Authorization, or after the scope
	// where the path has no such part.
	rest []string
	// authorization reports whether the path is about Microsoft.Authorization.
	authorization bool
}

// parsePath takes a path apart without regard to case and to doubled slashes.
func parsePath(path string) (route, error) {
	parts := segments(path)
	for i := len(parts) - 2; i >= 0; i-- {
		if strings.EqualFold(parts[i], "providers") && strings.EqualFold(parts[i+1], "Microsoft.Authorization") {
			s, err := scopeOf(parts[:i])
			return route{scope: s, rest: parts[i+2:], authorization: true}, err
		}
	}
	return route{rest: parts}, nil
}

// parseScope takes the id of a scope.
func parseScope(id string) (scopePath, error) { return scopeOf(segments(id)) }

func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

func scopeOf(parts []string) (scopePath, error) {
	// Microsoft's own samples write a subscription in this longer way.
	if len(parts) >= 4 && is(parts[0], "providers") && is(parts[1], "Microsoft.Subscription") && is(parts[2], "subscriptions") {
		parts = parts[2:]
	}
	id := "/" + strings.Join(parts, "/")
	switch {
	case len(parts) == 0:
		return scopePath{kind: typeTenant}, nil
	case len(parts) == 4 && is(parts[0], "providers") && is(parts[1], "Microsoft.Management") && is(parts[2], "managementGroups"):
		return scopePath{id: id, kind: typeManagementGroup}, nil
	case len(parts) < 2 || !is(parts[0], "subscriptions") || uuid.Validate(parts[1]) != nil:
		return scopePath{}, errScope
	case len(parts) == 2:
		return scopePath{id: id, kind: typeSubscription}, nil
	}
	resource := parts[2:]
	if is(resource[0], "resourceGroups") {
		if len(resource) == 2 {
			return scopePath{id: id, kind: typeResourceGroup}, nil
		}
		resource = resource[min(2, len(resource)):]
	}
	// providers, namespace, then pairs of type and name.
	if len(resource) < 4 || len(resource)%2 != 0 || !is(resource[0], "providers") {
		return scopePath{}, errScope
	}
	kind := resource[1]
	for i := 2; i < len(resource); i += 2 {
		kind += "/" + resource[i]
	}
	return scopePath{id: id, kind: strings.ToLower(kind)}, nil
}

func is(a, b string) bool { return strings.EqualFold(a, b) }

// lastPart is what follows the last slash of an id.
func lastPart(id string) string { return id[strings.LastIndex(id, "/")+1:] }
