//go:build !nowindow

package ui

import (
	"embed"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"roletray/app/view"
	"roletray/pim"
)

//go:embed icons/*.svg
var iconFiles embed.FS

// icon returns one of the embedded icons in the colours of the theme.
func icon(name string) fyne.Resource {
	b, err := iconFiles.ReadFile("icons/" + name + ".svg")
	if err != nil {
		return theme.QuestionIcon()
	}
	return theme.NewThemedResource(fyne.NewStaticResource(name+".svg", b))
}

func rowIcon(r view.Row) fyne.Resource {
	if r.Type == view.RowFavorite {
		return icon("star")
	}
	return kindIcon(r.Kind)
}

func kindIcon(k pim.Kind) fyne.Resource {
	switch k {
	case pim.KindDirectory:
		return icon("directory")
	case pim.KindGroup:
		return icon("group")
	case pim.KindAzure:
	}
	return icon("azure")
}
