package notify

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// hostile holds what has become code or markup in other programs' toasts.
const hostile = `$(calc) "; iex 'x' ]]> <actions/> & ‘’ \" %s` + "\x00\u202e"

func TestToastXMLKeepsTextAsText(t *testing.T) {
	n := Note{ID: "a\"<b", Title: hostile, Body: hostile, Actions: []Action{{ID: "reactivate", Label: hostile}}, Urgent: true}.clean()
	x, err := toastXML(n, `C:\icons\a & b.png`)
	if err != nil {
		t.Fatal(err)
	}
	var elements []string
	var texts []string
	d := xml.NewDecoder(strings.NewReader(x))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, x)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			elements = append(elements, tok.Name.Local)
		case xml.CharData:
			texts = append(texts, string(tok))
		}
	}
	if got, want := strings.Join(elements, " "), "toast visual binding image text text actions action"; got != want {
		t.Errorf("elements %q, want %q", got, want)
	}
	if len(texts) != 2 || texts[0] != n.Title || texts[1] != n.Body {
		t.Errorf("texts %q, want the note's", texts)
	}
}

func TestToastArguments(t *testing.T) {
	for _, tt := range []struct {
		in           string
		note, action string
		ok           bool
	}{
		{toastArguments("reminder|k", "reactivate"), "reminder|k", "reactivate", true},
		{toastArguments("with\nline", Default), "with\nline", Default, true},
		{"", "", "", false},
		{"default", "", "", false},
		{"\nnote", "", "", false},
	} {
		note, action, ok := parseToastArguments(tt.in)
		if ok != tt.ok || ok && (note != tt.note || action != tt.action) {
			t.Errorf("%q gives %q %q %v", tt.in, note, action, ok)
		}
	}
}

func TestCleanBoundsWhatIsShown(t *testing.T) {
	n := Note{Title: strings.Repeat("a", 500), Body: "b\nc\u202e", Actions: make([]Action, 5)}.clean()
	if len([]rune(n.Title)) != 120 || n.Body != "b c" || len(n.Actions) != 3 {
		t.Errorf("title of %d, body %q, %d actions", len([]rune(n.Title)), n.Body, len(n.Actions))
	}
}
