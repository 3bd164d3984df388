package main

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how far long work has come, on standard error, on a terminal only, and only once it takes over a
// second.
type progress struct {
	name  string
	out   io.Writer
	total int64
	count atomic.Int64
	stop  chan struct{}
	ended chan struct{}
}

const progressAfter = time.Second

// progress begins to count work towards total; 0: nobody knows it.
func (s *session) progress(name string, total int64) *progress {
	p := &progress{name: name, out: s.err, total: total, stop: make(chan struct{}), ended: make(chan struct{})}
	if !isTerminal(s.err) {
		close(p.ended)
		return p
	}
	go p.show()
	return p
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) add(n int64) { p.count.Add(n) }

// set is add for work that tells where it stands.
func (p *progress) set(done, total int64) {
	p.count.Store(done)
	atomic.StoreInt64(&p.total, total)
}

// done takes the bar away.
func (p *progress) done() {
	close(p.stop)
	<-p.ended
}

func (p *progress) show() {
	defer close(p.ended)
	select {
	case <-p.stop:
		return
	case <-time.After(progressAfter):
	}
	counter, rest := decor.CurrentNoUnit("%d"), []decor.Decorator{}
	if atomic.LoadInt64(&p.total) > 0 {
		counter = decor.CountersNoUnit("%d / %d")
		rest = append(rest, decor.Percentage(), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_GO))
	}
	bars := mpb.New(mpb.WithOutput(p.out), mpb.WithWidth(64))
	bar := bars.AddBar(atomic.LoadInt64(&p.total),
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(p.name+"  "), counter),
		mpb.AppendDecorators(rest...))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			bar.Abort(true)
			bars.Wait()
			return
		case <-tick.C:
			bar.SetTotal(atomic.LoadInt64(&p.total), false)
			bar.SetCurrent(p.count.Load())
		}
	}
}
