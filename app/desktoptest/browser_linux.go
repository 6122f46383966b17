package desktoptest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// Browser is a Chromium without a window and with a new, empty profile, driven through
// chromedriver by the W3C WebDriver protocol. Selectors are CSS; an element that is not there
// yet is waited for.
type Browser struct {
	t       testing.TB
	session string // address of the WebDriver session
}

// webElement is the key under which WebDriver names an element, fixed by its standard.
const webElement = "element-6066-11e4-a52e-4f735466cecf"

var driverPort = regexp.MustCompile(`started successfully on port (\d+)`)

// NewBrowser starts a browser for the time of the test.
func NewBrowser(t testing.TB) *Browser {
	t.Helper()
	b := &Browser{t: t}
	var created struct {
		SessionID string `json:"sessionId"`
	}
	driver := startDriver(t)
	if err := call(http.MethodPost, driver+"/session", capabilities(t), &created); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	b.session = driver + "/session/" + created.SessionID
	t.Cleanup(func() {
		if err := call(http.MethodDelete, b.session, nil, nil); err != nil {
			t.Errorf("end the browser: %v", err)
		}
	})
	return b
}

// startDriver runs chromedriver on a free port and returns its address.
func startDriver(t testing.TB) string {
	t.Helper()
	cmd := exec.Command("chromedriver", "--port=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("start chromedriver: %v", err)
	}
	ports := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer close(ports)
		var found bool
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := driverPort.FindStringSubmatch(lines.Text()); m != nil && !found {
				found = true
				ports <- m[1]
			}
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("end chromedriver: %v", err)
		}
		<-drained
		_ = cmd.Wait() // it was killed, and says so
	})
	port := ""
	Eventually(t, "chromedriver", func() error {
		select {
		case port = <-ports:
		default:
		}
		if port == "" {
			return errors.New("it names no port")
		}
		return nil
	})
	return "http://127.0.0.1:" + port
}

func capabilities(t testing.TB) any {
	args := []string{
		"--headless=new", "--user-data-dir=" + t.TempDir(), "--window-size=1024,768",
		"--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-sync", "--disable-background-networking", "--disable-component-update",
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium does not start as root with one
	}
	return map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"browserName":        "chrome",
		"goog:chromeOptions": map[string]any{"args": args},
	}}}
}

// call makes one WebDriver request. Into, unless nil, takes the "value" of the answer.
func call(method, url string, body, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	var send io.Reader
	if method == http.MethodPost {
		if body == nil {
			body = struct{}{}
		}
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, send)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Value json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("webdriver answered %s: %w", resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK {
		var fault struct{ Error, Message string }
		if err := json.Unmarshal(answer.Value, &fault); err != nil {
			return fmt.Errorf("webdriver answered %s", resp.Status)
		}
		message, _, _ := strings.Cut(fault.Message, "\n")
		return fmt.Errorf("%s: %s", fault.Error, message)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Value, into)
}

// Open goes to an address and returns when the page is loaded.
func (b *Browser) Open(url string) {
	b.t.Helper()
	if err := call(http.MethodPost, b.session+"/url", map[string]string{"url": url}, nil); err != nil {
		b.t.Fatalf("open a page: %v", err)
	}
}

// URL returns the address of the page that is shown.
func (b *Browser) URL() string {
	b.t.Helper()
	var url string
	if err := call(http.MethodGet, b.session+"/url", nil, &url); err != nil {
		b.t.Fatalf("address of the page: %v", err)
	}
	return url
}

// WaitURL waits until the address of the page matches a regular expression, and returns it.
func (b *Browser) WaitURL(pattern string) string {
	b.t.Helper()
	want := regexp.MustCompile(pattern)
	var url string
	Eventually(b.t, "a page at "+pattern, func() error {
		if url = b.URL(); !want.MatchString(url) {
			return fmt.Errorf("the browser is at %s", url)
		}
		return nil
	})
	return url
}

// Click clicks an element.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.act("click", selector, func(element string) error {
		return call(http.MethodPost, element+"/click", nil, nil)
	})
}

// Fill replaces what is in a field.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.act("fill", selector, func(element string) error {
		if err := call(http.MethodPost, element+"/clear", nil, nil); err != nil {
			return err
		}
		return call(http.MethodPost, element+"/value", map[string]string{"text": text}, nil)
	})
}

// Text returns the visible text of an element.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	var text string
	b.act("read", selector, func(element string) error {
		return call(http.MethodGet, element+"/text", nil, &text)
	})
	return text
}

// WaitText waits until the visible text of an element contains some text.
func (b *Browser) WaitText(selector, text string) {
	b.t.Helper()
	b.act(fmt.Sprintf("find %q in", text), selector, func(element string) error {
		var got string
		if err := call(http.MethodGet, element+"/text", nil, &got); err != nil {
			return err
		}
		if !strings.Contains(got, text) {
			return fmt.Errorf("it says %q", got)
		}
		return nil
	})
}

// act finds an element and does something with it, until that succeeds: an element can go
// between the two when a page changes.
func (b *Browser) act(verb, selector string, do func(element string) error) {
	b.t.Helper()
	Eventually(b.t, verb+" "+selector, func() error {
		var found map[string]string
		err := call(http.MethodPost, b.session+"/element", map[string]string{"using": "css selector", "value": selector}, &found)
		if err != nil {
			return fmt.Errorf("%w (the page is %s)", err, b.URL())
		}
		return do(b.session + "/element/" + found[webElement])
	})
}

// Screenshot writes a picture of the page as PNG.
func (b *Browser) Screenshot(path string) {
	b.t.Helper()
	var encoded string
	err := call(http.MethodGet, b.session+"/screenshot", nil, &encoded)
	if err == nil {
		var data []byte
		if data, err = base64.StdEncoding.DecodeString(encoded); err == nil {
			err = os.WriteFile(strings.TrimPrefix(pngPath(b.t, path), "png:"), data, 0o600)
		}
	}
	if err != nil {
		b.t.Fatalf("picture of the page: %v", err)
	}
}
