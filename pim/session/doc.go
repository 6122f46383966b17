// Package session is one signed-in account at work: it reads roles, carries out
// what the person asks for, follows each request to its end and tells the truth
// about it in immutable snapshots. It opens no browser but through its Stepper,
// and only for a person's act; it draws nothing and knows no service but through
// pim.Provider.
//
// The rules that it keeps: an own request's status decides, never the code of an
// answer, and overrides the listings for ten minutes at most; a write is
// journalled before it is sent, and one whose answer was lost is looked for,
// never sent blindly again; what is not known is shown as not known.
package session
