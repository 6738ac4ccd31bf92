package cpsv

import (
	"reflect"
	"strings"
)

// shape says how a field is written.
type shape int

const (
	text     shape = iota // gov.Text: strings with languages
	words                 // map[gov.Lang][]string: the same, many to a language
	literal               // a plain string
	literals              // plain strings in order
	number                // int: xsd:integer; 0 is not written
	flag                  // bool: xsd:boolean; false is not written
	day                   // gov.Date: xsd:date
	double                // *gov.Centimes: xsd:double in whole units of the money
	decimal               // *gov.Centimes: xsd:decimal in whole units of the money
	code                  // a string: a value of one of the own code lists
	codes                 // strings: the same
	ref                   // a string: the id of a thing of a class
	refs                  // strings: the same, in order
	parts                 // structs that belong to this one, in order
)

// binding ties a field to a property.
type binding struct {
	field string // its path from the struct: "Deadline.Terms"
	prop  string // short name
	shape shape
	// list names the code list of codes, the class of refs and parts.
	list string
	// also are properties that are read when prop says nothing.
	also []string
}

// class is a type of the model, or a part of one, with its table.
type class struct {
	name string
	path string // in the address of things; "" for parts
	// types are the short names of its RDF types. The first one tells it when it
	// is read.
	types []string
	table []binding
	model reflect.Type
}

// field returns the field at a path, for reading or setting.
func field(v reflect.Value, path string) reflect.Value {
	for name := range strings.SplitSeq(path, ".") {
		v = v.FieldByName(name)
	}
	return v
}

// positionProp orders the parts of a thing, since statements have no order.
const positionProp = ownPrefix + ":position"
