package origin

import (
	"slices"
	"strings"
	"testing"

	"github.com/portcullis-ci/portcullis/internal/dockerfile"
	"github.com/portcullis-ci/portcullis/internal/inventory"
)

func TestBaseIsWhatFROMNamesWithTheLayersThatItBrought(t *testing.T) {
	img := &inventory.Image{Layers: []inventory.Layer{
		{DiffID: "sha256:0", History: 0}, {DiffID: "sha256:1", History: 1}, {DiffID: "sha256:3", History: 3}, {DiffID: "sha256:4", History: -1},
	}}
	const staged = "FROM golang:1.22 AS build\nRUN make\nFROM debian:12-slim AS run\nRUN a\nFROM run\nCOPY --from=build /a /b\n"
	tests := []struct {
		name, dockerfile string
		base             int
		reference        string
		layers           []string
	}{
		{"the base of the final stage", staged, 2, "debian:12-slim", []string{"sha256:0", "sha256:1"}},
		{"a base with a setting after its layers", staged, 3, "debian:12-slim", []string{"sha256:0", "sha256:1"}},
		{"a digest", "FROM debian@sha256:" + strings.Repeat("1", 64) + "\n", 1, "debian@sha256:" + strings.Repeat("1", 64), []string{"sha256:0"}},
		{"a build argument with a default", "ARG BASE=alpine:3.20\nFROM $BASE\n", 1, "alpine:3.20", []string{"sha256:0"}},
		{"a build argument without a value", "ARG BASE\nFROM $BASE\n", 1, "", nil},
		{"scratch", "FROM scratch\nCOPY a /\n", 0, "", nil},
		{"a base that brought nothing", staged, 0, "debian:12-slim", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := dockerfile.Parse("Dockerfile", []byte(tt.dockerfile), dockerfile.Options{})
			tracer := &Tracer{image: img, alignment: &alignment{file: f, stage: f.Final(), base: tt.base}}
			reference, layers, ok := tracer.Base()
			if reference != tt.reference || !slices.Equal(layers, tt.layers) || ok != (len(tt.layers) > 0) {
				t.Errorf("got %q, %q, %v", reference, layers, ok)
			}
		})
	}
	if reference, layers, ok := (&Tracer{image: img}).Base(); ok || reference != "" || layers != nil {
		t.Errorf("without a Dockerfile: %q, %q", reference, layers)
	}
}
