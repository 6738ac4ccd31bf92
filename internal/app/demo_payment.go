package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"diwan/examples/payment/provider"
	"diwan/internal/casework"
)

// PartPayment is the test provider of payments of a demonstration.
const PartPayment = "payment"

const demoPaymentFile = "payment.json"

// demoPayment is what the portal and the test provider of a demonstration share. It
// lies in the data folder, so that an order outlives a restart.
type demoPayment struct {
	Listen string `json:"listen"`
	Secret string `json:"secret"`
}

// RunPayment runs the test provider until ctx ends.
func RunPayment(ctx context.Context, args []string, out io.Writer) error {
	return provider.Run(ctx, args, out)
}

// payment starts the test provider, before the portal that sends people to it.
func (d *demoRun) payment(ctx context.Context, o DemoOptions) error {
	name := filepath.Join(o.Data, demoPaymentFile)
	p, err := readDemoPayment(name)
	if errors.Is(err, fs.ErrNotExist) {
		port := newPortChooser(o.Listen)
		port.port -= 9 // beside the sign-in
		p = &demoPayment{"127.0.0.1:" + strconv.Itoa(port.next()), rand.Text()}
		var b []byte
		if b, err = json.Marshal(p); err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("the payments of the demonstration: %w", err)
	}
	base := "http://" + o.Listen
	if _, _, err := d.start([]string{PartPayment, "--listen", p.Listen, "--secret", p.Secret, "--notify", base + "/payments/" + demoProvider + "/notifications",
		"--site", strings.Trim(base+","+localName(base), ",")}); err != nil {
		return err
	}
	return d.allAnswer(ctx, []string{p.Listen})
}

func readDemoPayment(name string) (*demoPayment, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := new(demoPayment)
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%s is damaged; remove it: %w", name, err)
	}
	if host, _, err := net.SplitHostPort(p.Listen); err != nil || net.ParseIP(host) == nil || p.Secret == "" {
		return nil, fmt.Errorf("%s names no address; remove it", name)
	}
	return p, nil
}

// paymentProvider is who takes payments here: that of the demonstration when one was
// started, nobody otherwise.
func (a *App) paymentProvider() (casework.PaymentProvider, error) {
	if !a.Config.Demo {
		return nil, nil
	}
	p, err := readDemoPayment(filepath.Join(a.Config.Data, demoPaymentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &casework.HookProvider{Name: demoProvider, Base: "http://" + p.Listen, Secret: []byte(p.Secret), Currency: a.Country.Currency.Code,
		Client: &http.Client{Timeout: 10 * time.Second}, Now: time.Now}, nil
}
