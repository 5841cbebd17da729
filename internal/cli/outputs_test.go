package cli

import (
	"slices"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/gate"
)

func TestEachPlatformHasAnSBOMOfItsOwn(t *testing.T) {
	paths := func(platforms ...string) []string {
		var sboms []gate.SBOM
		for _, p := range platforms {
			sboms = append(sboms, gate.SBOM{Platform: p})
		}
		var list []string
		for _, o := range documents([]sbomOutput{{path: "out/bom.cdx.json"}}, sboms) {
			list = append(list, o.path)
		}
		return list
	}
	for _, tt := range []struct{ platforms, want []string }{
		{[]string{"linux/amd64"}, []string{"out/bom.cdx.json"}},
		{[]string{"linux/amd64", "linux/arm/v7"}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux-arm-v7.cdx.json"}},
		{[]string{"linux/amd64", "linux/amd64", "linux/arm64"}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux-amd64-2.cdx.json", "out/bom-linux-arm64.cdx.json"}},
		// What an index calls its platforms is nobody's command.
		{[]string{"linux/amd64", "linux/$(id)`id`\x1b[31m\n::warning::x/../.."}, []string{"out/bom-linux-amd64.cdx.json", "out/bom-linux---id--id---31m---warning--x-..-...cdx.json"}},
	} {
		if got := paths(tt.platforms...); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.platforms, got, tt.want)
		}
	}
}
