package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"diwan/examples/signin/people"
	"diwan/internal/gov"
	"diwan/internal/identity"
)

// PartSignIn is the development sign-in provider of a demonstration.
const PartSignIn = "sign-in"

// demoProvider is the id of that provider in addresses.
const demoProvider = "demo"

// demoSignIn is what the portal and the provider of a demonstration agree on. It
// lies in the data folder, so that people stay who they are when it starts again.
type demoSignIn struct {
	Listen string `json:"listen"`
	Client string `json:"client"`
	Secret string `json:"secret"`
}

func (s demoSignIn) issuer() string { return "http://" + s.Listen }

// MaxDemoPeople is how many invented people there can be.
const MaxDemoPeople = people.Max

const demoSignInFile = "sign-in.json"

// signIn starts the provider, before the portal that sends people to it.
func (d *demoRun) signIn(ctx context.Context, o DemoOptions) error {
	name := filepath.Join(o.Data, demoSignInFile)
	s, err := readDemoSignIn(name)
	if errors.Is(err, fs.ErrNotExist) {
		port := newPortChooser(o.Listen)
		port.port -= 10 // below the ports of the exchange
		s = &demoSignIn{"127.0.0.1:" + strconv.Itoa(port.next()), "diwan-demo", rand.Text()}
		err = writeDemoSignIn(name, s)
	}
	if err != nil {
		return fmt.Errorf("the sign-in of the demonstration: %w", err)
	}
	base := "http://" + o.Listen
	if _, _, err := d.start([]string{PartSignIn, "--listen", s.Listen, "--client", s.Client, "--secret", s.Secret, "--path", "/sign-in/" + demoProvider,
		"--site", strings.Trim(base+","+localName(base), ","), "--people", strconv.Itoa(o.People)}); err != nil {
		return err
	}
	return d.allAnswer(ctx, []string{s.Listen})
}

func readDemoSignIn(name string) (*demoSignIn, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := new(demoSignIn)
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("%s is damaged; remove it: %w", name, err)
	}
	if host, _, err := net.SplitHostPort(s.Listen); err != nil || net.ParseIP(host) == nil {
		return nil, fmt.Errorf("%s names no address; remove it", name)
	}
	return s, nil
}

func writeDemoSignIn(name string, s *demoSignIn) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o600)
}

// openDemoSignIn takes the demonstration's provider into the configuration, when
// one was started.
func (a *App) openDemoSignIn() error {
	s, err := readDemoSignIn(filepath.Join(a.Config.Data, demoSignInFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	words, err := Words(a.pack)
	if err != nil {
		return err
	}
	p := &identity.Provider{ID: demoProvider, Issuer: s.issuer(), ClientID: s.Client, ClientSecret: s.Secret, For: identity.ForPeople, Scopes: []string{"profile"}, Demo: true, Confirms: true,
		Name: gov.Text{}, Claims: identity.ClaimNames{Name: map[string]string{}, NationalID: "national_id", Birthdate: "birthdate", Represents: "represents"}}
	for _, l := range a.Country.Order() {
		p.Name[l] = words.Printer(string(l)).T("demo.account.provider")
		p.Claims.Name[string(l)] = "name#" + string(l)
	}
	if err := p.Check(); err != nil {
		return err
	}
	a.Config.SignIn = append(a.Config.SignIn, p)
	return nil
}

// addSamplePeople makes accounts for the invented people, so that they are known
// before they first sign in.
func (a *App) addSamplePeople(ctx context.Context) error {
	var list []identity.Account
	for _, p := range people.First(a.Config.DemoPeople) {
		list = append(list, identity.Account{Actor: gov.Actor{Login: p.Login, Name: a.inventedName(p), Roles: []gov.Role{gov.RolePerson}}, Sample: true})
	}
	issuer := ""
	for _, p := range a.Config.SignIn {
		if p.Demo {
			issuer = p.Issuer
		}
	}
	if err := a.Accounts.PutSamples(ctx, issuer, list); err != nil {
		return err
	}
	return a.addSampleMandates(ctx)
}

// sampleMandateDays is how long a written mandate of the demonstration runs.
const sampleMandateDays = 365

// addSampleMandates gives the written mandates of the people with a story, once,
// the way people give them: one offers, the other accepts.
func (a *App) addSampleMandates(ctx context.Context) error {
	for _, p := range people.First(0) {
		if len(p.Mandates) == 0 {
			continue
		}
		giver, err := a.Accounts.ByLogin(ctx, p.Login)
		if err != nil {
			return err
		}
		if has, err := a.Accounts.Mandates(ctx, giver.ID); err != nil || len(has) > 0 {
			return err
		}
		for _, login := range p.Mandates {
			agent, err := a.Accounts.ByLogin(ctx, login)
			if err != nil {
				return err
			}
			today := a.Accounts.Today()
			_, code, err := a.Accounts.Offer(ctx, giver.Actor, today, today.AddDays(sampleMandateDays), nil)
			if err == nil {
				_, err = a.Accounts.Accept(ctx, agent.Actor, code, true)
			}
			if err != nil {
				return fmt.Errorf("the mandate of %s: %w", p.Login, err)
			}
		}
	}
	return nil
}

// inventedName is an invented person's name in the languages of the country.
func (a *App) inventedName(p people.Person) gov.Text {
	name := gov.Text{}
	for _, l := range a.Country.Order() {
		if n := p.Name[string(l)]; n != "" {
			name[l] = n
		}
	}
	return name
}

// told is what /demo.json says of an invented person, and in which place.
type told struct {
	about string
	place int
}

// toldPeople are those with a story first.
func toldPeople(n int) map[string]told {
	out := map[string]told{}
	for i, p := range people.First(n) {
		out[p.Login] = told{p.About["en"], i}
	}
	return out
}
