package view

// Words says things in the person's language. An implementation is safe for
// concurrent use.
//
// What Privileged Identity Management has a word for is called so in every face, in the documents and
// in errors, so that whoever knows the portal finds it:
//
//	Azure role, Entra role, Group (member, owner)    the kinds; azure, directory and group in JSON and keys
//	eligible, active, assigned                       how a role is held; activated is what the person did
//	activate, deactivate                             never start, end or stop a role; a role's time ends by itself
//	extend, renew                                    an eligibility or assignment that ends, or has ended
//	request, approval; approve, deny                 what waits for somebody
//	cancel                                           a request, never withdraw; a sign-in is called off
//	continue                                         ours: activate again at the end
//	justification                                    in fields for it and in JSON; in sentences a reason
type Words interface {
	// Say returns the text of key with args in its fmt verbs.
	Say(key string, args ...any) string
	// Count returns the text of key for n things; n is the first of the arguments
	// for its verbs.
	Count(key string, n int, args ...any) string
}
