package arm

import (
	"fmt"
	"net/url"
	"strings"

	"roletray/pim"
)

// root is the scope of the whole tenant as the client wants it.
const root = ""

// scopePath is a scope's id in the form that the client puts into a URL, which it
// does without escaping. It is root for the tenant's own scope.
func scopePath(id string) (string, error) {
	var segments []string
	for s := range strings.SplitSeq(id, "/") {
		switch s {
		case "":
			continue
		case ".", "..":
			return "", fmt.Errorf("the scope %q is not one", pim.CleanText(id, maxName))
		}
		segments = append(segments, url.PathEscape(s))
	}
	return strings.Join(segments, "/"), nil
}

// scopeType tells from a path what it is the path of, for a row without expanded
// properties.
func scopeType(id string) pim.ScopeType {
	segments := strings.Split(strings.Trim(id, "/"), "/")
	n := len(segments)
	switch {
	case n >= 4 && strings.EqualFold(segments[n-4], "providers") && strings.EqualFold(segments[n-3], "Microsoft.Management") && strings.EqualFold(segments[n-2], "managementGroups"):
		return pim.ScopeManagementGroup
	case n == 2 && strings.EqualFold(segments[0], "subscriptions"):
		return pim.ScopeSubscription
	case n == 4 && strings.EqualFold(segments[2], "resourceGroups"):
		return pim.ScopeResourceGroup
	}
	for i := n - 3; i > 0; i-- {
		if strings.EqualFold(segments[i-1], "providers") {
			var names []string
			for j := i + 1; j < n; j += 2 {
				names = append(names, segments[j])
			}
			return pim.ScopeType(segments[i] + "/" + strings.Join(names, "/"))
		}
	}
	return ""
}

// parseScopeType folds the spellings of the known types.
func parseScopeType(s string) pim.ScopeType {
	for _, known := range []pim.ScopeType{pim.ScopeManagementGroup, pim.ScopeSubscription, pim.ScopeResourceGroup} {
		if strings.EqualFold(s, string(known)) {
			return known
		}
	}
	return pim.ScopeType(s)
}

func lastSegment(id string) string {
	id = strings.TrimRight(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}
