package link

import "sync/atomic"

// crew runs what is to go on beside the reader of a connection. A goroutine that
// has done something waits for the next: its stack has grown to what a request
// needs, and would have to grow again in a new one.
type crew struct {
	work chan func() // without room: only who waits takes
	done <-chan struct{}
	idle atomic.Int32
}

// maxIdle is how many wait at most.
const maxIdle = 64

func newCrew(done <-chan struct{}) *crew { return &crew{work: make(chan func()), done: done} }

// run has something done at once, by who waits or by somebody new.
func (c *crew) run(do func()) {
	select {
	case c.work <- do:
	default:
		go c.serve(do)
	}
}

func (c *crew) serve(do func()) {
	for {
		do()
		do = nil // holds no body while it waits
		if c.idle.Add(1) > maxIdle {
			c.idle.Add(-1)
			return
		}
		select {
		case do = <-c.work:
			c.idle.Add(-1)
		case <-c.done:
			return
		}
	}
}
