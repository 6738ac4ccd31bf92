package people

import (
	"reflect"
	"testing"
	"time"
)

func TestPeople(t *testing.T) {
	fixed := First(0)
	if len(fixed) < 8 {
		t.Errorf("%d people have a story", len(fixed))
	}
	list := First(5000)
	if len(list) != 5000 || !reflect.DeepEqual(list, First(5000)) || len(First(Max+1)) != Max {
		t.Error("the list is not the same each time, or not as long as asked")
	}
	logins, numbers := map[string]bool{}, map[string]bool{}
	for _, p := range list {
		if logins[p.Login] || numbers[p.NationalID] {
			t.Errorf("%s is there twice", p.Login)
		}
		logins[p.Login], numbers[p.NationalID] = true, true
		if _, err := time.Parse("2006-01-02", p.Birthdate); err != nil || p.Name["ar"] == "" || p.Name["fr"] == "" || p.About["ar"] == "" || p.About["fr"] == "" || p.About["en"] == "" {
			t.Errorf("%+v is not complete", p)
		}
	}
	kinds := map[string]bool{}
	for _, p := range fixed {
		for _, r := range p.Represents {
			kinds[r.Kind] = true
		}
		for _, m := range p.Mandates {
			kinds["written"] = kinds["written"] || logins[m]
		}
	}
	for _, k := range []string{"child", "ward", "firm", "written"} {
		if !kinds[k] {
			t.Errorf("nobody shows representation of the kind %s", k)
		}
	}
}
