package policyartifact

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// FuzzParse reads any bytes as the manifest of a policy. What is accepted names
// one layer of the right type and of a size that is read.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"layers":[{"mediaType":"`+string(LayerType)+`","digest":"sha256:`+zeros+`","size":5}]}`), true)
	f.Add([]byte(`{"layers":[{}, {}]}`), true)
	f.Add([]byte(`{}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, honest bool) {
		digest := v1.Hash{Algorithm: "sha256", Hex: zeros}
		if honest {
			sum := sha256.Sum256(raw)
			digest.Hex = hex.EncodeToString(sum[:])
		}
		layer, err := parse(raw, digest)
		if err != nil {
			return
		}
		if !honest {
			t.Error("bytes with another digest were accepted")
		}
		if layer.MediaType != LayerType || layer.Size > maxSize {
			t.Errorf("accepted a layer of type %s and %d bytes", layer.MediaType, layer.Size)
		}
	})
}

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
