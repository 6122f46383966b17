// Package view decides what a person sees, and draws nothing: from the agent's
// state and a moment it makes the tray's menu, icon and tooltip, the window's
// rows and the activation sheet, as plain values with every text in place. It is
// pure: no clock, no file, no widget. The same state and moment give the same view.
//
// Clock times are shown in the location of the moment that is passed in.
package view
