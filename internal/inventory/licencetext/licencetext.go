// Package licencetext tells licences by their texts, with the matcher of the
// module licensecheck. That module makes its matcher anew in every run, from 2 MB
// of texts with alternatives, and this takes most of a second and 330 MB of
// allocations: more than all else that a small image costs. What it makes is the
// same each time, so it was made once, and is embedded as a table.
package licencetext

import (
	_ "embed"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/google/licensecheck"
)

// embedded is the table, see pack. `make generate` makes it anew.
//
//go:embed matcher.zst
var embedded []byte

// Matcher returns the matcher of all licences that licensecheck knows. It is the
// one of the table where that was made from the same texts, and otherwise is made
// from the texts.
func Matcher() (*licensecheck.Scanner, error) {
	licences := licensecheck.BuiltinLicenses()
	m, unfit := fromTable(embedded, licences)
	if unfit == nil {
		return m, nil
	}
	m, err := licensecheck.NewScanner(licences)
	if err != nil {
		return nil, fmt.Errorf("make the matcher of licences: %w", errors.Join(unfit, err))
	}
	return m, nil
}

// fromTable makes the matcher of licences that a table holds.
func fromTable(packed []byte, licences []licensecheck.License) (*licensecheck.Scanner, error) {
	t, err := unpack(packed, sumOf(licences))
	if err != nil {
		return nil, fmt.Errorf("read the table of licences: %w", err)
	}
	m := new(licensecheck.Scanner)
	if err := t.fill(m, licences); err != nil {
		return nil, fmt.Errorf("use the table of licences: %w", err)
	}
	return m, nil
}

// The fields of a matcher are not exported, so they are reached by reflection:
// by their names, with their types checked, which fails with an error where
// another version of the module has others.

// fields are the values behind a matcher.
type fields struct {
	licences, urls            reflect.Value // []License, map[string]License
	words, ids, states, start reflect.Value // []string, map[string]WordID, []int32, map[[2]WordID]struct{}
}

// fieldsOf reaches into a matcher. Where it is empty, what its pointers point to
// is made.
func fieldsOf(m *licensecheck.Scanner) (f fields, err error) {
	defer func() {
		// Package reflect has no other way to say that a type is not what was thought.
		if r := recover(); r != nil {
			err = fmt.Errorf("licensecheck keeps its matcher in another way: %v", r)
		}
	}()
	scanner := reflect.ValueOf(m).Elem()
	multi := pointee(scanner, "re")
	dict := pointee(multi, "dict")
	f = fields{
		licences: field(scanner, "licenses"), urls: field(scanner, "urls"),
		words: field(dict, "list"), ids: field(dict, "dict"), states: field(multi, "dfa"), start: field(multi, "start"),
	}
	for _, known := range []struct {
		field reflect.Value
		as    any
	}{
		{f.licences, []licensecheck.License{}},
		{f.urls, map[string]licensecheck.License{}},
		{f.words, []string{}},
	} {
		if want := reflect.TypeOf(known.as); known.field.Type() != want {
			return f, fmt.Errorf("licensecheck keeps its matcher in another way: a field is %v, not %v", known.field.Type(), want)
		}
	}
	word := f.ids.Type().Elem()
	if f.ids.Type().Key().Kind() != reflect.String || word.Kind() != reflect.Int32 ||
		!f.states.Type().ConvertibleTo(reflect.TypeFor[[]int32]()) ||
		f.start.Type().Key().Kind() != reflect.Array || f.start.Type().Key().Len() != 2 ||
		f.start.Type().Key().Elem() != word || f.start.Type().Elem().Size() != 0 ||
		scanner.NumField() != 3 || multi.NumField() != 3 || dict.NumField() != 2 {
		return f, fmt.Errorf("licensecheck keeps its matcher in another way: %v, %v, %v", f.ids.Type(), f.states.Type(), f.start.Type())
	}
	return f, nil
}

// field is a field that can be set, whether it is exported or not.
func field(of reflect.Value, name string) reflect.Value {
	v := of.FieldByName(name)
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// pointee is what a field points to.
func pointee(of reflect.Value, name string) reflect.Value {
	v := field(of, name)
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

// fill makes a matcher of what a table holds.
func (t *table) fill(m *licensecheck.Scanner, licences []licensecheck.License) error {
	f, err := fieldsOf(m)
	if err != nil {
		return err
	}
	var texts []licensecheck.License
	urls := make(map[string]licensecheck.License)
	for _, l := range licences {
		if l.URL != "" {
			urls[l.URL] = l
		}
		if l.LRE != "" {
			texts = append(texts, l)
		}
	}
	f.licences.Set(reflect.ValueOf(texts))
	f.urls.Set(reflect.ValueOf(urls))
	f.words.Set(reflect.ValueOf(t.words))
	f.states.Set(reflect.ValueOf(t.states).Convert(f.states.Type()))
	f.ids.Set(reflect.MakeMapWithSize(f.ids.Type(), len(t.words)))
	id := reflect.New(f.ids.Type().Elem()).Elem()
	for i, w := range t.words {
		id.SetInt(int64(i))
		f.ids.SetMapIndex(reflect.ValueOf(w), id)
	}
	f.start.Set(reflect.MakeMapWithSize(f.start.Type(), len(t.start)))
	phrase, present := reflect.New(f.start.Type().Key()).Elem(), reflect.Zero(f.start.Type().Elem())
	for _, p := range t.start {
		for i, w := range p {
			phrase.Index(i).SetInt(int64(w))
		}
		f.start.SetMapIndex(phrase, present)
	}
	return nil
}

// tableOf is the table of a matcher.
func tableOf(m *licensecheck.Scanner) (*table, error) {
	f, err := fieldsOf(m)
	if err != nil {
		return nil, err
	}
	t := &table{
		words:  f.words.Interface().([]string),
		states: f.states.Convert(reflect.TypeFor[[]int32]()).Interface().([]int32),
	}
	for phrases := f.start.MapRange(); phrases.Next(); {
		p := phrases.Key()
		t.start = append(t.start, [2]int32{int32(p.Index(0).Int()), int32(p.Index(1).Int())})
	}
	return t, nil
}
