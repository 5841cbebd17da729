package expression

import (
	"fmt"
	"strings"
	"testing"
)

func manyObjects(n int) []map[string]any {
	objects := make([]map[string]any, n)
	for i := range objects {
		objects[i] = map[string]any{
			"kind": "Deployment", "metadata": map[string]any{"name": fmt.Sprintf("web-%d", i), "labels": map[string]any{"app": "web"}},
			"spec": map[string]any{"replicas": int64(i), "paused": false, "none": nil, "ratio": 0.5, "list": []any{"a", int64(1), map[string]any{"b": "c"}}},
		}
	}
	return objects
}

func TestConditionsSeeSharedObjectsAsTheySeePlainOnes(t *testing.T) {
	plain := manyObjects(5)
	for _, text := range []string{
		`objects.exists(o, o.kind == "Deployment" && o.metadata.name == "web-3" && o.spec.replicas == 3)`,
		`objects.filter(o, o.spec.replicas > 2).size() == 2`,
		`objects.all(o, o.spec.none == null && !o.spec.paused && o.spec.ratio < 1.0 && o.spec.list[2].b == "c" && "a" in o.spec.list)`,
		`objects.exists_one(o, has(o.metadata.labels.app) && o[?"spec"][?"replicas"].orValue(0) == 4)`,
		`!objects.exists(o, has(o.spec.template)) && object in objects`,
		`objects[0] == object && objects.map(o, o.metadata.name).join(",") == "web-0,web-1,web-2,web-3,web-4"`,
	} {
		p, err := CompileObject(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name, all := range map[string]any{"plain": plain, "shared": Shared(plain)} {
			hit, err := p.RunMetered(Inputs{Object: plain[0], Objects: all}, NewMeter())
			if err != nil || !hit {
				t.Errorf("%s over %s objects: %v, %v; want true", text, name, hit, err)
			}
		}
	}
}

// What a condition builds out of all objects is bounded in memory as well: the
// cost alone allows texts of gigabytes.
func TestAConditionOnAllObjectsHasALimitOfMemory(t *testing.T) {
	plain := manyObjects(40)
	plain[0]["text"] = strings.Repeat("x", 8<<20)
	for _, text := range []string{
		`objects.map(a, objects.map(b, objects.map(c, objects))).size() == 0`,
		`objects.map(a, objects[0].text + objects[0].text + objects[0].text).size() == 0`,
	} {
		p, err := CompileObject(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.RunMetered(Inputs{Object: plain[0], Objects: Shared(plain)}, NewMeter()); err == nil {
			t.Errorf("%s: was evaluated, want a refusal", text)
		}
	}
}

func BenchmarkAConditionOnAllObjectsForEach(b *testing.B) {
	plain := manyObjects(2000)
	p, err := CompileObject(`objects.exists(o, o.kind == "Service" && o.metadata.name == object.metadata.name)`)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		all := Shared(plain)
		for _, o := range plain[:100] {
			if _, err := p.RunMetered(Inputs{Object: o, Objects: all}, NewMeter()); err != nil {
				b.Fatal(err)
			}
		}
	}
}
