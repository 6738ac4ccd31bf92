// Command shop is a shop that asks a customer's wallet whether they are over eighteen,
// with nothing but the plain JSON interface of a portal: no name, no date of birth.
//
//	go run ./examples/shop --portal http://127.0.0.1:8080
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	portal := flag.String("portal", "http://127.0.0.1:8080", "address of the portal")
	token := flag.String("token", "", "token of the shop; a demonstration needs none")
	template := flag.String("template", "adult", "what is asked")
	flag.Parse()
	if err := ask(*portal, *token, *template, time.Second, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

// ask begins a request and waits for its end.
func ask(portal, token, template string, pause time.Duration, out io.Writer) error {
	var begun struct {
		Link   string `json:"link"`
		Status string `json:"status_url"`
	}
	if err := call("POST", portal+"/api/v1/verifications", token, map[string]string{"template": template}, &begun); err != nil {
		return err
	}
	fmt.Fprintf(out, "Show this as a QR code, or open it on the customer's phone:\n%s\n", begun.Link)
	for {
		var now struct {
			State   string         `json:"state"`
			Claims  map[string]any `json:"claims"`
			Reasons []string       `json:"reasons"`
		}
		if err := call("GET", begun.Status, "", nil, &now); err != nil {
			return err
		}
		if now.State != "waiting" && now.State != "fetched" {
			fmt.Fprintln(out, now.State, now.Claims, now.Reasons)
			return nil
		}
		time.Sleep(pause)
	}
}

// call sends and reads JSON.
func call(method, address, token string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(method, address, bytes.NewReader(b))
	if err != nil {
		return err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("the portal answered %s", res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}
