// Package agent is the long-running part of the program. It owns the sign-in
// service, one session for each account, the timer, the tray, the notifications
// and the window's process, and serves the local interface. What is shown is
// decided by package view, what is true by package session; the agent connects them.
//
// A missing tray, notification service or keychain is said and lived with.
package agent
