package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
)

// compressed is a server whose answers go through everything that stands before a handler.
func compressed(t testing.TB) string {
	long := strings.Repeat("C0001,INV-202611-0001,110000,JPY\r\n", 1000)
	router := chi.NewRouter()
	router.Use(AccessLog(slog.New(slog.DiscardHandler)), Recovered(slog.New(slog.DiscardHandler), plainly), Compress)
	router.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		w.Header().Set("Etag", `"17"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(long)))
		_, _ = io.WriteString(w, long)
	})
	router.Get("/small", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"small":true}`) })
	router.Get("/same", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"17"`)
		w.WriteHeader(http.StatusNotModified)
	})
	router.Get("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	router.Get("/encoded", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(w, long)
	})
	router.Get("/refused", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(422)
		_, _ = io.WriteString(w, long)
	})
	router.Get("/weak", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `W/"18"`)
		_, _ = io.WriteString(w, long)
	})
	router.Get("/panic/{after}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		after, _ := strconv.Atoi(chi.URLParam(r, "after"))
		_, _ = io.WriteString(w, strings.Repeat("x", after))
		panic("in the middle")
	})
	return newServer(t, router).URL
}

func gunzip(t testing.TB, body string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCompress(t *testing.T) {
	url := compressed(t)
	_, long := send(t, "GET", url+"/long", "Accept-Encoding", "identity")
	for _, c := range []struct {
		method, path, accept string
		status               int
		encoding, tag        string
		length               int // of what a client reads in the end
	}{
		{"GET", "/long", "gzip", 200, "gzip", `W/"17"`, len(long)},
		{"GET", "/long", "br;q=1, gzip;q=0.5", 200, "gzip", `W/"17"`, len(long)},
		{"GET", "/long", "br, gzip;q=0", 200, "", `W/"17"`, len(long)},
		{"GET", "/long", "zstd, br", 200, "", `W/"17"`, len(long)},
		{"GET", "/long", "identity", 200, "", `W/"17"`, len(long)},
		{"GET", "/small", "gzip", 200, "", "", 14},
		{"GET", "/small", "gzip, identity;q=0", 200, "gzip", "", 14},
		{"GET", "/small", "gzip, identity; q=0.0", 200, "gzip", "", 14},
		{"GET", "/small", "gzip, identity;q=0.1", 200, "", "", 14},
		{"GET", "/same", "gzip", 304, "", `W/"17"`, 0},
		{"GET", "/none", "gzip, identity;q=0", 204, "", "", 0},
		{"GET", "/encoded", "gzip", 200, "br", "", len(long)},
		{"GET", "/refused", "gzip", 422, "gzip", "", len(long)},
		{"GET", "/weak", "gzip", 200, "gzip", `W/"18"`, len(long)},
		{"HEAD", "/long", "gzip", 200, "", `W/"17"`, 0},
		{"GET", "/panic/0", "gzip", 500, "", "", -1},
		{"GET", "/panic/1000", "gzip", 500, "", "", -1}, // nothing had been sent yet
	} {
		answer, body := send(t, c.method, url+c.path, "Accept-Encoding", c.accept)
		if c.encoding == "gzip" {
			body = gunzip(t, body)
		}
		if answer.StatusCode != c.status || answer.Header.Get("Content-Encoding") != c.encoding || answer.Header.Get("Etag") != c.tag ||
			(c.length >= 0 && len(body) != c.length) || answer.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s %s, %s: %d, %d bytes, %v", c.method, c.path, c.accept, answer.StatusCode, len(body), answer.Header)
		}
		if c.status == 500 && !strings.HasPrefix(body, "server.panicked: ") {
			t.Error(c.path, body)
		}
	}
}

// TestCompressedPanic speaks HTTP/1.0 too, where only the end of the gzip tells whether an answer is whole.
func TestCompressedPanic(t *testing.T) {
	url := compressed(t)
	for _, after := range []int{2_000, 5_000_000} {
		for _, version := range []string{"1.0", "1.1"} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "GET /panic/%d HTTP/%s\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n", after, version)
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				var body []byte
				if body, err = io.ReadAll(answer.Body); err == nil {
					var z *gzip.Reader
					if z, err = gzip.NewReader(bytes.NewReader(body)); err == nil {
						_, err = io.ReadAll(z)
					}
				}
				if answer.StatusCode != 200 {
					t.Error(answer.StatusCode)
				}
			}
			if err == nil {
				t.Errorf("HTTP/%s after %d bytes: it looks whole", version, after)
			}
			conn.Close()
		}
	}
}

// TestCompressedFlush reads what was flushed while the handler still works.
func TestCompressedFlush(t *testing.T) {
	for contentType, encoding := range map[string]string{"application/x-ndjson": "gzip", "text/event-stream": ""} {
		goOn := make(chan struct{})
		s := newServer(t, AccessLog(slog.New(slog.DiscardHandler))(Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			control := http.NewResponseController(w)
			if contentType == "text/event-stream" { // its header goes out before there is any event
				if err := control.Flush(); err != nil {
					t.Error(err)
				}
				<-goOn
			}
			for i := range 3 {
				fmt.Fprintf(w, "event %d\n", i)
				if err := control.Flush(); err != nil {
					t.Error(err)
				}
				<-goOn
			}
		}))))
		r, _ := http.NewRequest("GET", s.URL, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
		if err != nil {
			t.Fatal(contentType, err)
		}
		if answer.Header.Get("Content-Encoding") != encoding {
			t.Fatal(contentType, answer.Header)
		}
		body := io.Reader(answer.Body)
		if encoding == "" {
			goOn <- struct{}{}
		} else if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
		read := bufio.NewReader(body)
		for i := range 3 {
			if line, err := read.ReadString('\n'); err != nil || line != fmt.Sprintf("event %d\n", i) {
				t.Fatal(contentType, line, err)
			}
			goOn <- struct{}{}
		}
		if rest, err := io.ReadAll(read); err != nil || len(rest) > 0 {
			t.Error(contentType, rest, err)
		}
		answer.Body.Close()
	}
}

// agingRows writes what an aging of many customers looks like.
func agingRows(w io.Writer, rows int) {
	c := csv.NewWriter(w)
	for i := range rows {
		n := (i*7919 + 13) % 1_000_003
		_ = c.Write([]string{
			fmt.Sprintf("C%06d", i), "株式会社" + strconv.Itoa(n%997), "JPY", strconv.Itoa(n * 31 % 9_000_000), strconv.Itoa(n % 70_000),
			"0", strconv.Itoa(n * 17 % 300_000), "0", strconv.Itoa(n % 11), fmt.Sprintf("2026-%02d-%02d", n%12+1, n%28+1),
		})
	}
	c.Flush()
}

// BenchmarkCompress sends 10 000 rows of aging over loopback.
func BenchmarkCompress(b *testing.B) {
	var rows bytes.Buffer
	agingRows(&rows, 10_000)
	s := newServer(b, Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		for body := rows.Bytes(); len(body) > 0; body = body[min(4096, len(body)):] {
			_, _ = w.Write(body[:min(4096, len(body))])
		}
	})))
	for _, accept := range []string{"identity", "gzip"} {
		b.Run(accept, func(b *testing.B) {
			var body string
			b.ReportAllocs()
			for b.Loop() {
				_, body = send(b, "GET", s.URL, "Accept-Encoding", accept)
			}
			b.ReportMetric(float64(len(body)), "B/answer")
		})
	}
}
