// Package ui is the content of Roletray's window: it applies a view to widgets and turns
// what a person does into calls of the agent. It decides nothing that a view can
// decide. Everything in it runs on the goroutine of the user interface, but what is
// handed to Params.Work.
package ui
