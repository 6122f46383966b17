// Package arm reads and changes Azure resource roles under Privileged Identity
// Management, for one person, through Azure Resource Manager's api-version
// 2020-10-01, decides what others ask for, and lists the scopes below a scope. It
// stands on Microsoft's armauthorization client, with pipeline policies for what that
// client lacks and calls of its own for approvals, which that client does not know.
//
// It keeps no list and no decision: listings lag behind writes and a write may
// end with its outcome unknown, and what follows from that is the caller's. No
// write is repeated, unless the service has said that it did nothing (429 with
// Retry-After), or has refused one of the two spellings of an eligibility's id or one
// of the two forms of a decision.
//
// What an administrator decides, such as a prolongation, can be asked for here and not
// be decided: Resource Manager has no call for that.
package arm
