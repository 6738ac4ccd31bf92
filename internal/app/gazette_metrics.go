package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lawMetrics shows what the gazette does: a queue that grows, files that fail and
// messages that nobody takes are seen before somebody complains.
type lawMetrics struct {
	a     *App
	files *prometheus.Desc
	pages *prometheus.Desc
	told  *prometheus.Desc
	sent  *prometheus.Desc
	waits *prometheus.Desc
}

func newLawMetrics(a *App) *lawMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("diwan_law_"+name, help, labels, nil)
	}
	return &lawMetrics{a, desc("files_total", "Files of the gazette that were read, by outcome.", "outcome"), desc("pages_total", "Pages of the gazette that were read."),
		desc("changes_total", "Changes in the law that were handed on."), desc("messages_total", "Messages to those who follow the law, by outcome of each attempt.", "outcome"),
		desc("waiting", "What waits: files to be read, amendments and works for an officer.", "what")}
}

// Describe implements prometheus.Collector.
func (m *lawMetrics) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, out) }

// countsTimeout bounds what one look at the figures may cost.
const countsTimeout = 2 * time.Second

// Collect implements prometheus.Collector.
func (m *lawMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countsTimeout)
	defer cancel()
	c, err := m.a.Gazette.Counts(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(m.waits, err)
		return
	}
	add := func(d *prometheus.Desc, kind prometheus.ValueType, n int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, float64(n), labels...)
	}
	add(m.files, prometheus.CounterValue, c.Read, "read")
	add(m.files, prometheus.CounterValue, c.Failed, "failed")
	add(m.pages, prometheus.CounterValue, c.Pages)
	add(m.told, prometheus.CounterValue, c.Changes)
	add(m.sent, prometheus.CounterValue, c.Sent, "sent")
	add(m.sent, prometheus.CounterValue, c.NotSent, "failed")
	add(m.waits, prometheus.GaugeValue, c.Waiting, "files")
	add(m.waits, prometheus.GaugeValue, c.ToDo, "amendments")
	add(m.waits, prometheus.GaugeValue, c.Doubtful, "works")
}
