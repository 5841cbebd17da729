package kubernetes

func image(field string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: app\n      " + field + "\n"
}

var imageCases = map[string][]ruleCase{
	"k8s-image-latest": {
		{"fires without a tag", image("➤image: nginx")},
		{"fires on latest", image("➤image: nginx:latest")},
		{"fires on a registry's port without a tag", image("➤image: registry.example:5000/shop/web")},
		{"fires on an init container", pod("initContainers:\n  - name: i\n    ➤image: \"busybox:latest\"")},
		{"is silent about a version", image("image: nginx:1.27.1")},
		{"is silent about a digest alone", image("image: nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about latest with a digest", image("image: nginx:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about a placeholder that is filled in later", image("image: ${IMAGE}")},
		{"is silent about a tag that only begins like latest", image("image: nginx:latest-2024")},
	},
}
