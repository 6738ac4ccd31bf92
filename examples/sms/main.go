// Command sms is a sample gateway for short messages: it keeps what it is given in
// memory and sends nothing.
//
//	go run ./examples/sms --listen 127.0.0.1:9800 --token secret
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"diwan/examples/sms/gateway"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9800", "where to listen")
	token := flag.String("token", "", "what the sender must show")
	flag.Parse()
	if *token == "" {
		fmt.Fprintln(os.Stderr, "sms: say --token")
		os.Exit(2)
	}
	s := &http.Server{Addr: *listen, Handler: gateway.New(*token), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	fmt.Println("sample gateway for short messages on", *listen)
	if err := s.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, "sms:", err)
		os.Exit(1)
	}
}
