// Package tracing records spans of exchanges and sends them to an OpenTelemetry
// collector: W3C Trace Context in and out, OTLP over HTTP in its JSON form.
//
// # What it promises
//
//   - A nil *Tracer does nothing and costs a comparison: tracing is off unless an
//     operator named a collector.
//   - No message waits for a span. Ended spans lie in a queue of a fixed length; one
//     that finds it full is dropped and counted. A collector that is slow, wrong or
//     away costs spans, never messages.
//   - What is sent is what its caller put into a span's attributes. Texts are cut at
//     a length; nothing is taken from a message by this package.
package tracing
