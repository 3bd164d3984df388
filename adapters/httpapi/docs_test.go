package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/urikake/urikake/domain/access"
)

func TestDocsAreServedToAnybody(t *testing.T) {
	h := open(t)
	h.key(access.Admin, "") // from here on the books are closed to those without one
	paths := []string{"/docs/", "/docs/rules", "/openapi.json"}
	for name := range docsServed {
		paths = append(paths, "/docs/"+name)
	}
	for _, path := range paths {
		r := h.get(path)
		if r.status != http.StatusOK || r.body == "" {
			t.Fatalf("%s: %d", path, r.status)
		}
		if r.header.Get("Content-Security-Policy") != docsPolicy || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, r.header)
		}
		again := h.get(path, "If-None-Match: "+r.header.Get("ETag"))
		if again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s again: %d", path, again.status)
		}
		head := h.send(http.MethodHead, path, "")
		if head.status != http.StatusOK || head.body != "" || head.header.Get("Content-Type") != r.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d %v", path, head.status, head.header)
		}
	}
	if r := h.get("/docs"); r.status != http.StatusOK || !strings.Contains(r.body, "<h1>urikake API</h1>") {
		t.Errorf("/docs leads to %d", r.status)
	}
}

// outside finds what a page would fetch from elsewhere.
var outside = regexp.MustCompile(`(?i)(src|href|action)\s*=\s*["']?(https?:)?//|@import|url\(\s*["']?https?:`)

func TestDocsNameNothingElsewhere(t *testing.T) {
	for _, name := range []string{"index.html", "docs.js", "docs.css", "rules.html", "swagger-ui.css"} {
		b, err := docsFiles.ReadFile("docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if found := outside.Find(b); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
}

func TestEveryRuleHasAStatus(t *testing.T) {
	rules, err := Rules()
	if err != nil || len(rules) < 100 {
		t.Fatal(len(rules), err)
	}
	known := make(map[string]bool)
	for _, r := range rules {
		known[r.Rule] = true
		if http.StatusText(r.Status) == "" || r.Text == "" {
			t.Errorf("%s: %d %s", r.Rule, r.Status, r.Text)
		}
	}
	for rule := range ruleStatuses {
		if !known[rule] {
			t.Errorf("%s has a status and is no rule", rule)
		}
	}
}

// browser starts a real browser without a screen, which can reach nothing but this machine. It is closed with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed to look at the page with")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 1000), chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// complaints collects what a page says to its console and what it asks for elsewhere.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, text)
}

func (c *complaints) report(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range c.list {
		t.Error(text)
	}
}

func (c *complaints) listen(ctx context.Context, home string) {
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				b, _ := json.Marshal(e.Args)
				c.add("console: " + string(b))
			}
		case *runtime.EventExceptionThrown:
			c.add("exception: " + e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			c.add("log: " + e.Entry.Text + " " + e.Entry.URL)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, home+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") {
				c.add("it asks for " + u)
			}
		}
	})
}

// TestDocsInABrowser opens the page, tries an operation with a key typed in, and looks at the rules.
func TestDocsInABrowser(t *testing.T) {
	h := open(t)
	h.furnish("YAMATO")
	ctx := browser(t)
	token := strings.TrimPrefix(h.key(access.Admin, ""), "Authorization: Bearer ")
	var c complaints
	c.listen(ctx, h.url)
	operations, _ := operationsOf(h.api.huma.OpenAPI())
	var heading, answer, sample string
	var shown, rows int
	err := chromedp.Run(
		ctx, log.Enable(), network.Enable(), runtime.Enable(),
		chromedp.Navigate(h.url+"/docs/"),
		chromedp.WaitVisible(".opblock", chromedp.ByQuery),
		chromedp.Text("h1", &heading, chromedp.ByQuery),
		chromedp.Evaluate(`document.querySelectorAll(".opblock").length`, &shown),
		chromedp.Click(".btn.authorize", chromedp.ByQuery),
		chromedp.SendKeys(".auth-container input", token, chromedp.ByQuery),
		chromedp.Click(".auth-btn-wrapper .authorize", chromedp.ByQuery),
		chromedp.Click(".btn-done", chromedp.ByQuery),
		chromedp.Click("#operations-Parties-list-sellers .opblock-summary-control", chromedp.ByQuery),
		chromedp.Click("#operations-Parties-list-sellers .try-out__btn", chromedp.ByQuery),
		chromedp.Click("#operations-Parties-list-sellers .execute", chromedp.ByQuery),
		chromedp.WaitVisible("#operations-Parties-list-sellers .live-responses-table .highlight-code", chromedp.ByQuery),
		chromedp.Text("#operations-Parties-list-sellers .live-responses-table", &answer, chromedp.ByQuery),
		chromedp.Click("#operations-Payments-record-payment .opblock-summary-control", chromedp.ByQuery),
		chromedp.WaitVisible("#operations-Payments-record-payment .body-param__example", chromedp.ByQuery),
		chromedp.Text("#operations-Payments-record-payment .opblock-section-request-body", &sample, chromedp.ByQuery),
		chromedp.Navigate(h.url+"/docs/rules"),
		chromedp.Evaluate(`document.querySelectorAll("tbody tr").length`, &rows),
	)
	if err != nil {
		t.Fatal(err)
	}
	c.report(t)
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	if heading != "urikake API" || shown != len(operations) || rows != len(rules) {
		t.Errorf("%q, %d of %d operations, %d of %d rules", heading, shown, len(operations), rows, len(rules))
	}
	if !strings.Contains(answer, "YAMATO 商事") {
		t.Errorf("with the key typed in, the page shows %s", answer)
	}
	if !strings.Contains(sample, "sent again: booked once") || !strings.Contains(sample, "80000") {
		t.Errorf("the examples of record-payment are not shown: %s", sample)
	}
}
