// Command agencies holds the sample administrations of the demonstration: a civil
// registry with an interface of today, a social security fund whose old system
// speaks XML in the manner of SOAP, and a land registry that only drops a CSV file.
// Each is a program of its own, knows nothing of Diwan, and is reached by others
// through its gateway. All people, numbers and places in them are invented.
//
//	go run ./examples/agencies civil --listen 127.0.0.1:9001
//	go run ./examples/agencies social --listen 127.0.0.1:9002
//	go run ./examples/agencies social-adapter --listen 127.0.0.1:9012 --legacy http://127.0.0.1:9002/soap
//	go run ./examples/agencies land-drop --dir /tmp/land
//	go run ./examples/agencies land-adapter --listen 127.0.0.1:9013 --dir /tmp/land
//
// docs/adapters.md says how the two old systems are brought to the exchange.
package main
