// Package wire is what Roletray's clients of Microsoft's services have in common
// on the way there and back: pipeline policies that bound an exchange, tell what
// kept it from an answer, repeat reads but not writes and obey Retry-After for a
// whole service, and the reading of a refusal into a pim.Error.
//
// It knows no service's addresses or resources, gets no token and follows no
// write whose outcome is unknown.
package wire
