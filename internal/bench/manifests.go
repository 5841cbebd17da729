package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// corpus is a directory of manifests to lint.
type corpus struct {
	name, dir string
	// exits is the code with which a run may end besides 0.
	exits int
}

// bigFile is the size in bytes of the one file that holds many manifests.
const bigFile = 100_000_000

// lint measures the linting of manifests, and writes the figures into their
// section of the page.
func (b *bench) lint(ctx context.Context) error {
	var page strings.Builder
	fmt.Fprintf(&page, "%s, %d cores, %s/%s. Each figure is the best of %d runs by processor time.\n\n", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, b.runs)
	fmt.Fprint(&page, "| | wall s | CPU s | peak MB |\n|---|---:|---:|---:|\n")
	for _, make := range []func() (corpus, error){
		func() (corpus, error) { return b.manifests("2,000 manifests without faults", "manifests-sound", sound) },
		func() (corpus, error) { return b.manifests("2,000 manifests with faults", "manifests-faulty", faulty) },
		b.oneFile,
	} {
		c, err := make()
		if err != nil {
			return fmt.Errorf("write manifests: %w", err)
		}
		if !b.only.MatchString(c.name) {
			continue
		}
		reports := func(formats ...string) []string {
			args := []string{b.binary, "lint", c.dir, "--fail-on", "none"}
			for _, format := range formats {
				args = append(args, "--output", format+"="+filepath.Join(b.dir, "report."+format))
			}
			return args
		}
		for _, run := range []struct {
			name string
			args []string
		}{
			{c.name, reports()},
			{c.name + ", also JSON and SARIF", reports("json", "sarif")},
			{c.name + ", also HTML", reports("html")},
		} {
			best, err := fastest(ctx, run.name, run.args, b.runs, b.dir+"/nothing", c.exits)
			if err != nil {
				return fmt.Errorf("%s: %w", run.name, err)
			}
			fmt.Fprintf(&page, "| %s | %.2f | %.2f | %d |\n", best.name, best.wall.Seconds(), best.cpu.Seconds(), best.peak/1e6)
		}
	}
	fmt.Print(page.String())
	if b.page == "-" {
		return nil
	}
	return intoPage(b.page, lintBegin, page.String())
}

// manifests writes 2,000 files.
func (b *bench) manifests(name, folder string, write func(w io.Writer, i int) error) (corpus, error) {
	dir := filepath.Join(b.dir, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return corpus{}, err
	}
	for i := range 2000 {
		var text strings.Builder
		if err := write(&text, i); err != nil {
			return corpus{}, err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("web%d.yaml", i)), []byte(text.String()), 0o644); err != nil {
			return corpus{}, err
		}
	}
	return corpus{name: name, dir: dir}, nil
}

// oneFile writes a file of a hundred megabytes, which is more than is looked
// into: that ends with 4.
func (b *bench) oneFile() (corpus, error) {
	c := corpus{name: "a file of 100 MB", dir: filepath.Join(b.dir, "manifests-one"), exits: 4}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return c, err
	}
	f, err := os.Create(filepath.Join(c.dir, "all.yaml"))
	if err != nil {
		return c, err
	}
	w := bufio.NewWriter(f)
	for i, size := 0, 0; size < bigFile && err == nil; i++ {
		var text strings.Builder
		_ = faulty(&text, i) // a builder takes everything
		text.WriteString("---\n")
		size += text.Len()
		_, err = w.WriteString(text.String())
	}
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return c, err
}

// faulty writes a workload with its Service as many repositories have them:
// without any of the settings that harden it, and with some that open it. It
// has 14 findings.
func faulty(w io.Writer, i int) error {
	_, err := fmt.Fprintf(w, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web%[1]d
  namespace: shop%[2]d
  labels:
    app: web%[1]d
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web%[1]d
  template:
    metadata:
      labels:
        app: web%[1]d
    spec:
      hostPID: true
      containers:
        - name: app
          image: registry.example.com/team%[2]d/web%[1]d
          ports:
            - containerPort: 8080
          securityContext:
            privileged: true
          env:
            - name: LOG_LEVEL
              value: info
            - name: DB_PASSWORD
              value: hunter2%[1]d
---
apiVersion: v1
kind: Service
metadata:
  name: web%[1]d
  namespace: shop%[2]d
spec:
  selector:
    app: web%[1]d
  ports:
    - port: 80
      targetPort: 8080
`, i, i%40)
	return err
}

// sound writes a workload that does what can be done in one object. It has 4
// findings, about what is not beside it and what not everybody needs.
func sound(w io.Writer, i int) error {
	_, err := fmt.Fprintf(w, `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web%[1]d
  namespace: shop
  labels:
    app.kubernetes.io/name: web%[1]d
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web%[1]d
  template:
    metadata:
      labels:
        app: web%[1]d
    spec:
      serviceAccountName: web%[1]d
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app: web%[1]d
      containers:
        - name: app
          image: registry.example.com/web%[1]d:1.2.3@sha256:%064[1]x
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 8080
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              cpu: 500m
              memory: 128Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
          livenessProbe:
            httpGet:
              path: /live
              port: 8080
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
`, i)
	return err
}
