package notify

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// toast is the XML of a Windows toast. It is marshalled, never written by a
// template, so that no text can leave its element. Source: Microsoft's documentation,
// "Toast content schema".
type toast struct {
	XMLName        xml.Name      `xml:"toast"`
	Launch         string        `xml:"launch,attr"`
	ActivationType string        `xml:"activationType,attr"`
	Scenario       string        `xml:"scenario,attr,omitempty"`
	Binding        toastBinding  `xml:"visual>binding"`
	Actions        []toastAction `xml:"actions>action,omitempty"`
}

type toastBinding struct {
	Template string      `xml:"template,attr"`
	Image    *toastImage `xml:"image,omitempty"`
	Text     []string    `xml:"text"`
}

type toastImage struct {
	Placement string `xml:"placement,attr"`
	Src       string `xml:"src,attr"`
}

type toastAction struct {
	Content        string `xml:"content,attr"`
	Arguments      string `xml:"arguments,attr"`
	ActivationType string `xml:"activationType,attr"`
}

// toastXML renders a cleaned note.
func toastXML(n Note, icon string) (string, error) {
	t := toast{
		Launch:         toastArguments(n.ID, Default),
		ActivationType: "foreground",
		Binding:        toastBinding{Template: "ToastGeneric", Text: []string{n.Title, n.Body}},
	}
	if n.Urgent {
		t.Scenario = "reminder"
	}
	if icon != "" {
		t.Binding.Image = &toastImage{Placement: "appLogoOverride", Src: icon}
	}
	for _, a := range n.Actions {
		t.Actions = append(t.Actions, toastAction{Content: a.Label, Arguments: toastArguments(n.ID, a.ID), ActivationType: "foreground"})
	}
	b, err := xml.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("write a toast: %w", err)
	}
	return string(b), nil
}

func toastArguments(note, action string) string { return action + "\n" + note }

// parseToastArguments reads what toastArguments wrote. It is false for anything
// that lacks one of the two.
func parseToastArguments(s string) (note, action string, ok bool) {
	action, note, ok = strings.Cut(s, "\n")
	return note, action, ok && note != "" && action != ""
}
