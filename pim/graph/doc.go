// Package graph reads and changes Microsoft Entra directory roles and PIM for
// Groups, for one person, through Microsoft Graph v1.0, and beta for the approvals
// that v1.0 lacks. It is a small client on an azcore pipeline and two
// pim.Providers on it. Microsoft's own SDK for Graph is not used: its one package
// of models has more lines than all else together.
//
// It keeps no list and no decision beyond names and role settings for minutes.
// No write is repeated, unless the service has said that it did nothing (429
// with Retry-After): Graph chooses the ids of requests itself, so a write whose
// answer was lost is looked for with Find.
//
// Not covered: narrower scopes below an eligibility.
package graph
