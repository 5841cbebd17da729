package html_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/report/reporttest"
)

// browser is a headless Chromium that is spoken to over the pipe of the
// DevTools protocol, https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       testing.TB
	out     *os.File
	in      *bufio.Reader
	next    int
	session string
}

// startBrowser skips the test where no Chromium is installed.
func startBrowser(t testing.TB) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed")
	}
	toBrowser, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
		"--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--window-size=1280,1000", "--hide-scrollbars")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	b := &browser{t: t, out: out, in: bufio.NewReaderSize(in, 1<<20)}
	t.Cleanup(func() {
		b.call("Browser.close", nil)
		out.Close()
		_ = cmd.Wait() // it was asked to end; how it does is its own business
		in.Close()
	})
	return b
}

// call sends a command and returns its result.
func (b *browser) call(method string, params map[string]any) json.RawMessage {
	b.t.Helper()
	b.next++
	message := map[string]any{"id": b.next, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" && method != "Browser.close" {
		message["sessionId"] = b.session
	}
	encoded, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.out.Write(append(encoded, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		raw, err := b.in.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var reply struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(raw[:len(raw)-1], &reply); err != nil {
			b.t.Fatal(err)
		}
		if reply.ID != b.next {
			continue
		}
		if reply.Error != nil {
			b.t.Fatalf("%s: %s", method, reply.Error.Message)
		}
		return reply.Result
	}
}

// open loads a report and waits until its script has run.
func (b *browser) open(o outcome.Outcome) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(write(b.t, o)), 0o600); err != nil {
		b.t.Fatal(err)
	}
	var target struct{ TargetID string }
	b.decode(b.call("Target.createTarget", map[string]any{"url": "about:blank"}), &target)
	var attached struct{ SessionID string }
	b.decode(b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached)
	b.session = attached.SessionID
	b.call("Page.enable", nil)
	b.call("Page.navigate", map[string]any{"url": "file://" + path})
	for range 3000 {
		if b.eval(`String(document.documentElement?.dataset.ready)`) == "true" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatal("the script of the page did not come to its end")
}

// eval runs an expression in the page and returns its value as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.decode(b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}), &got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails.Exception.Description)
	}
	return fmt.Sprint(got.Result.Value)
}

func (b *browser) expect(expression, want string) {
	b.t.Helper()
	if got := b.eval(expression); got != want {
		b.t.Errorf("%s\n got %s\nwant %s", expression, got, want)
	}
}

// key presses a key as a person does.
func (b *browser) key(key string) {
	b.t.Helper()
	params := map[string]any{"type": "keyDown", "key": key, "code": key}
	switch key {
	case "Enter":
		params["text"], params["windowsVirtualKeyCode"] = "\r", 13
	case "Escape":
		params["windowsVirtualKeyCode"] = 27
	default:
		params["text"] = key
	}
	b.call("Input.dispatchKeyEvent", params)
	b.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key})
}

// screenshot keeps a picture where PORTCULLIS_SCREENSHOTS names a folder.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	folder := os.Getenv("PORTCULLIS_SCREENSHOTS")
	if folder == "" {
		return
	}
	var shot struct{ Data string }
	b.decode(b.call("Page.captureScreenshot", map[string]any{"format": "png"}), &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) decode(raw json.RawMessage, into any) {
	b.t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		b.t.Fatal(err)
	}
}

const rows = `document.querySelectorAll("#rows tr.item").length`

func TestInABrowserFindingsAreSearchedFilteredAndSorted(t *testing.T) {
	b := startBrowser(t)
	b.open(reporttest.Outcome())
	b.screenshot("list")
	b.expect(rows, "14")
	b.expect(`document.querySelector("#rows .id").textContent`, "k8s-privileged")

	set := func(id, value string) {
		b.eval(fmt.Sprintf(`{ const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event(e.type === "search" ? "input" : "change")); new Promise(r => setTimeout(r, 120)) }`, id, value))
	}
	set("query", "openssl")
	b.expect(rows, "1")
	b.expect(`document.getElementById("count").textContent`, "1 finding of 18.")
	set("query", "")
	set("status", "")
	b.expect(rows, "18")
	set("kind", "dockerfile")
	b.expect(rows, "2")
	b.eval(`document.getElementById("reset").click()`)
	b.eval(`document.querySelector("[data-sev=high]").click()`)
	b.expect(rows, "4")
	b.eval(`document.getElementById("reset").click()`)
	b.eval(`document.getElementById("fails").click()`)
	b.expect(rows, "9")
	b.eval(`document.getElementById("reset").click()`)

	b.eval(`document.querySelector("[data-sort=id]").click()`)
	b.expect(`document.querySelector("#rows .id").textContent`, "CVE-2005-2541")
	b.expect(`document.querySelector("[data-sort=id]").parentElement.getAttribute("aria-sort")`, "ascending")
	b.eval(`document.querySelector("[data-sort=id]").click()`)
	b.expect(`document.querySelector("#rows .id").textContent`, "PC-SEC001")
	b.eval(`document.getElementById("reset").click()`)
	set("group", "where")
	b.expect(`document.querySelectorAll("tr.groupline").length > 5`, "true")
}

func TestInABrowserTheKeyboardReachesEverything(t *testing.T) {
	b := startBrowser(t)
	b.open(reporttest.Outcome())
	b.key("/")
	b.expect(`document.activeElement.id`, "query")
	b.key("Escape")
	b.key("j")
	b.expect(`document.activeElement.textContent`, "k8s-privileged")
	b.key("j")
	b.expect(`document.activeElement.textContent`, "PC-SEC001")
	b.key("k")
	b.key("Enter")
	b.expect(`document.activeElement.getAttribute("aria-expanded")`, "true")
	b.expect(`document.querySelectorAll("tr.detail").length`, "1")
	b.screenshot("detail")
	b.key("Escape")
	b.expect(`document.querySelectorAll("tr.detail").length`, "0")
	// Everything that can be clicked is a button, a link or a form field, and has a name.
	b.expect(`[...document.querySelectorAll("button,a,select,input,[role=img]")].filter(e => !(e.textContent.trim() || e.getAttribute("aria-label") || e.closest("label") || e.placeholder)).length`, "0")
	b.expect(`[...document.querySelectorAll("[aria-controls]")].every(e => document.getElementById(e.getAttribute("aria-controls")))`, "true")
	b.expect(`document.querySelectorAll("h1").length + " " + document.documentElement.lang`, "1 en")
}

func TestInABrowserFilesAndLayersLeadToTheirFindings(t *testing.T) {
	b := startBrowser(t)
	b.open(reporttest.Outcome())
	b.eval(`document.getElementById("tab-files").click()`)
	b.screenshot("files")
	b.expect(`document.querySelectorAll("#view-files .file").length`, "3")
	b.expect(`[...document.querySelectorAll("#view-files .codeline.hit .no")].map(e => e.textContent).join(" ")`, "1 4 8 13 6")
	b.eval(`document.querySelector("#view-files .hits").click()`)
	b.expect(`document.getElementById("count").textContent.includes("Dockerfile line 1")`, "true")
	b.eval(`document.getElementById("tab-layers").click()`)
	b.screenshot("layers")
	b.expect(`document.querySelectorAll("#view-layers li").length`, "3")
	b.eval(`[...document.querySelectorAll("#view-layers .hits")].pop().click()`)
	b.expect(`document.getElementById("count").textContent.includes("from layer 3")`, "true")
}

// No screen is too narrow: nothing is cut off at the side, and no column is so
// small that its text runs down the page letter by letter.
func TestInABrowserNarrowScreensShowEverything(t *testing.T) {
	b := startBrowser(t)
	b.open(reporttest.Outcome())
	for _, width := range []int{360, 640, 800, 900} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
		b.eval(`document.querySelector("#rows .id[aria-expanded=false]").click()`)
		for _, tab := range []string{"files", "layers", "list"} {
			b.eval(`document.getElementById("tab-` + tab + `").click()`)
			b.expect(`document.documentElement.scrollWidth`, fmt.Sprint(width))
			b.screenshot(fmt.Sprintf("%s-%d", tab, width))
		}
		b.expect(`[...document.querySelectorAll("#rows tr.item td")].filter(e => e.offsetWidth > 0 && e.offsetWidth < 80 && e.offsetHeight > 60).length`, "0")
	}
	b.eval(`document.getElementById("tab-files").click()`)
	b.expect(`[...document.querySelectorAll(".codeline .text")].filter(e => e.offsetWidth < 120).length`, "0")
}

func TestInABrowserHostileTextRunsNothing(t *testing.T) {
	b := startBrowser(t)
	b.open(reporttest.Outcome())
	b.eval(`{ const e = document.getElementById("status"); e.value = ""; e.dispatchEvent(new Event("change")); for (const x of document.querySelectorAll("#rows .id")) x.click(); }`)
	b.expect(`document.scripts.length`, "2")
	b.expect(`[...document.links].filter(l => !/^(https:|http:|file:)/.test(l.href)).length`, "0")
	b.expect(`document.body.textContent.includes("<script>alert(1)</script>")`, "true")
}

func TestInABrowserTenAndFiveThousandFindingsAreShown(t *testing.T) {
	b := startBrowser(t)
	few := many(10)
	shown := slices.DeleteFunc(slices.Clone(few.Findings), func(f finding.Finding) bool { return f.Status != finding.Open })
	b.open(few)
	t.Logf("the page of 10 findings was ready after %s ms", b.eval(`Math.round(performance.now())`))
	b.expect(rows, fmt.Sprint(len(shown)))
	b.open(many(5000))
	t.Logf("the page of 5,000 findings was ready after %s ms", b.eval(`Math.round(performance.now())`))
	b.expect(`document.getElementById("count").textContent.startsWith("3,8")`, "true")
	b.expect(rows, "150")
	b.screenshot("many")
	b.eval(`document.getElementById("more").click()`)
	b.expect(rows, "300")
	b.eval(`document.getElementById("theme").click()`)
	b.screenshot("dark")
	b.expect(`document.documentElement.dataset.theme`, "dark")
}
