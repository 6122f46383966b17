//go:build nowindow

package main

import "context"

const hasWindow = false

// window is nil: this build has none.
func window(string) func(ctx context.Context, profile string) int { return nil }
