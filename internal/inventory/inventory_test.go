package inventory_test

import (
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestValidateNamesTheBrokenPromise(t *testing.T) {
	good := inventory.Package{ID: "1", Name: "lodash", Version: "4.17.20", Type: "npm", PURL: "pkg:npm/lodash@4.17.20"}
	with := func(change func(p *inventory.Package)) []inventory.Package {
		p := good
		change(&p)
		return []inventory.Package{p}
	}
	for name, tc := range map[string]struct {
		packages []inventory.Package
		want     string
	}{
		"a good package":                    {[]inventory.Package{good}, ""},
		"a package without a package URL":   {with(func(p *inventory.Package) { p.PURL = "" }), ""},
		"no packages":                       {nil, ""},
		"an id used twice":                  {[]inventory.Package{good, good}, "used twice"},
		"an empty id":                       {with(func(p *inventory.Package) { p.ID = "" }), "empty"},
		"an empty name":                     {with(func(p *inventory.Package) { p.Name = "" }), "without a name"},
		"a package URL that does not parse": {with(func(p *inventory.Package) { p.PURL = "npm:lodash" }), "package url"},
		"a type that the URL contradicts":   {with(func(p *inventory.Package) { p.Type = "pypi" }), "type"},
		"an owner that is not there":        {with(func(p *inventory.Package) { p.Owner = "2" }), "owner"},
	} {
		err := inventory.Inventory{Packages: tc.packages}.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want one that contains %q", name, err, tc.want)
		}
	}
}
