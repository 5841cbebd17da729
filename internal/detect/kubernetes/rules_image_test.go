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
	"k8s-image-digest": {
		{"fires on a tag", image("➤image: nginx:1.27.1")},
		{"fires on a registry's port and a tag", image("➤image: registry.example:5000/web:2")},
		{"fires on a quoted reference", image("➤image: \"web:2\"")},
		{"fires on an init container", inWorkload("apps/v1", "Deployment", "initContainers: [{name: i, ➤image: \"a:1\"}]")},
		{"is silent about a digest", image("image: nginx:1.27.1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about a digest without a tag", image("image: nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about latest, which another rule reports", image("image: nginx:latest")},
		{"is silent about a placeholder", image("image: $(IMAGE):1")},
	},
	"k8s-image-registry": {
		{"fires on another registry", image("➤image: quay.io/shop/web:1")},
		{"fires on another path of a registry", image("➤image: ghcr.io/other/web:1")},
		{"fires on Docker Hub's users", image("➤image: someone/web:1")},
		{"fires on a name that only begins like a trusted one", image("➤image: registry.example.evil.example/web:1")},
		{"is silent about a trusted registry", image("image: registry.example/web:1")},
		{"is silent about a trusted path", image("image: ghcr.io/shop/web:1")},
		{"is silent about the official images", image("image: nginx:1")},
		{"is silent about a placeholder", image("image: ${IMAGE}")},
	},
	"k8s-image-pull-policy": {
		{"fires on Never", container("➤imagePullPolicy: Never")},
		{"fires on IfNotPresent and latest", image("image: web:latest\n      ➤imagePullPolicy: IfNotPresent")},
		{"fires on IfNotPresent without a tag", image("image: web\n      ➤imagePullPolicy: IfNotPresent")},
		{"fires on Never with a digest", image("image: web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n      ➤imagePullPolicy: Never")},
		{"is silent about Always", container("imagePullPolicy: Always")},
		{"is silent about IfNotPresent with a version", container("imagePullPolicy: IfNotPresent")},
		{"is silent about latest with a digest", image("image: web:latest@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n      imagePullPolicy: IfNotPresent")},
		{"is silent where nothing is said", bareContainer("")},
	},
	"k8s-image-deprecated-registry": {
		{"fires on k8s.gcr.io", image("➤image: k8s.gcr.io/pause:3.1")},
		{"fires on the older name", image("➤image: gcr.io/google_containers/pause:3.1")},
		{"fires on GitHub's old registry", image("➤image: docker.pkg.github.com/a/b/c:1")},
		{"fires with a digest as well", image("➤image: k8s.gcr.io/pause@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")},
		{"is silent about registry.k8s.io", image("image: registry.k8s.io/pause:3.10")},
		{"is silent about other images of gcr.io", image("image: gcr.io/distroless/static:nonroot")},
		{"is silent about a path that contains the name", image("image: registry.example/k8s.gcr.io/pause:3.1")},
		{"is silent about a placeholder", image("image: ${REGISTRY}/pause")},
	},
}
