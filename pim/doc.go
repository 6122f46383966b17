// Package pim holds the words of Privileged Identity Management and the rules
// that need no service to decide: what a role is and when two rows mean the same
// one, what a policy asks for, which phase a request is in, what an error means
// to the person who reads it. It talks to nobody, keeps no state and imports
// nothing else of this program.
package pim
