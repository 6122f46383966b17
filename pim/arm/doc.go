// Package arm reads and changes Azure resource roles under Privileged Identity
// Management, for one person, through Azure Resource Manager's api-version
// 2020-10-01. It is a pim.Provider on Microsoft's armauthorization client, with
// pipeline policies for what that client lacks.
//
// It keeps no list and no decision: listings lag behind writes and a write may
// end with its outcome unknown, and what follows from that is the caller's. No
// write is repeated, unless the service has said that it did nothing (429 with
// Retry-After), or has refused one of the two spellings of an eligibility's id.
//
// Not covered: extending and renewing, approvals, narrower scopes below an eligibility.
package arm
