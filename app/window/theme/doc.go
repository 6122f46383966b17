// Package theme is how the window looks: colours for light and dark, sizes and
// spacing, on top of Fyne's own theme.
package theme
