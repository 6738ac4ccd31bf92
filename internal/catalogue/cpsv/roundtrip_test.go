package cpsv

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"testing"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// formats are the ways out and back in.
var formats = map[string]func(*Dataset, *bytes.Buffer) error{
	JSONLD: func(d *Dataset, b *bytes.Buffer) error { return d.WriteJSONLD(b) },
	Turtle: func(d *Dataset, b *bytes.Buffer) error { return d.WriteTurtle(b) },
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w, g) {
		t.Errorf("%s came back changed:\n was %s\n now %s", what, w, g)
	}
}

func roundTrip(t *testing.T, data Data) {
	for format, write := range formats {
		t.Run(format, func(t *testing.T) {
			var b bytes.Buffer
			if err := write(Export(data), &b); err != nil {
				t.Fatal(err)
			}
			c, err := Import(bytes.NewReader(b.Bytes()), format)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Procedures) != len(data.Procedures) {
				t.Fatalf("%d procedures went out and %d came back", len(data.Procedures), len(c.Procedures))
			}
			for i, p := range data.Procedures {
				same(t, "procedure "+p.ID, p.Procedure, c.Procedures[i])
			}
			same(t, "the administrations", data.Administrations, c.Administrations)
			same(t, "the services", data.Services, c.Services)
			same(t, "the themes", data.Themes, c.Themes)
			same(t, "the life events", data.LifeEvents, c.LifeEvents)
		})
	}
}

func TestStarterComesBackEqual(t *testing.T) { roundTrip(t, starter(t)) }

// fill gives every field of a struct a value, so that the round trip covers what
// the starter happens not to use.
func fill(v reflect.Value, i int) {
	switch v.Interface().(type) {
	case gov.Date:
		v.Set(reflect.ValueOf(gov.Date{Year: 2024, Month: 2, Day: 29}))
		return
	case gov.Text:
		v.Set(reflect.ValueOf(gov.Text{"fr": "a \"b\" \\ \n\t'c' <é> {} # . ; @", "ar": "\u0627\u0644\u0623\u062c\u0644", "zgh": "\U0001F600\u2d30"}))
		return
	case map[gov.Lang][]string:
		v.Set(reflect.ValueOf(map[gov.Lang][]string{"fr": {"b", "a"}, "en": {"c"}}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"some-thing", "a b/c#d%20?\u00e9:=\"<>"}[i%2] + strconv.Itoa(i))
	case reflect.Int:
		v.SetInt(int64(7 + i))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		v.Elem().SetInt(int64(1234567801 + i))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 12, 12))
		for k := range v.Len() {
			fill(v.Index(k), k)
		}
	case reflect.Struct:
		for k := range v.NumField() {
			fill(v.Field(k), i)
		}
	}
}

func TestEveryFieldComesBackEqual(t *testing.T) {
	data := starter(t)
	data.Procedures, data.Services, data.Themes, data.LifeEvents, data.Administrations = nil, nil, nil, nil, nil
	for i := range 2 {
		p, a, s, th, ev := new(model.Procedure), new(model.Administration), new(model.OnlineService), new(model.Theme), new(model.LifeEvent)
		fill(reflect.ValueOf(p).Elem(), i)
		fill(reflect.ValueOf(a).Elem(), i)
		fill(reflect.ValueOf(s).Elem(), i)
		fill(reflect.ValueOf(th).Elem(), i)
		fill(reflect.ValueOf(ev).Elem(), i)
		data.Procedures = append(data.Procedures, Item{Procedure: p, Version: 3, State: model.Published})
		data.Administrations, data.Services = append(data.Administrations, a), append(data.Services, s)
		data.Themes, data.LifeEvents = append(data.Themes, th), append(data.LifeEvents, ev)
	}
	roundTrip(t, data)
}

// A portal without a public address still has absolute identifiers.
func TestDefaultBase(t *testing.T) {
	data := starter(t)
	data.Base = ""
	var b bytes.Buffer
	if err := Export(data).WriteTurtle(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b.Bytes(), []byte("@prefix diwan: <"+DefaultBase+"/ns#> .")) {
		t.Error("the identifiers do not begin with the default address")
	}
}
