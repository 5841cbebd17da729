package kubernetes

import (
	"strings"

	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/manifest"
	"github.com/portcullis-ci/portcullis/internal/rules"
)

// ecsRules are about task definitions of Amazon ECS, whose containers have
// much the same settings under other names
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html).
var ecsRules = []rule{
	ecsPrivileged, ecsHostMode, ecsReadOnlyRootFS, ecsRootUser, ecsCaps, ecsDockerSock, ecsSecretEnv, ecsNoLogs,
}

const docECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html"

const hardenedTask = `{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "registry.example/shop/web:1.4.2",
      "user": "10001:10001",
      "readonlyRootFilesystem": true,
      "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
      "logConfiguration": {"logDriver": "awslogs"}
    }
  ]
}
`

func task(old, new string) string { return replaced(hardenedTask, old, new) }

// eachTaskContainer makes a check of each container of a task definition.
func eachTaskContainer(check func(p *pass, c *manifest.Place, name string)) func(*pass, *manifest.Object) {
	return func(p *pass, o *manifest.Object) {
		if o.Kind != manifest.TaskDefinition || o.APIVersion != manifest.ECS {
			return
		}
		for _, c := range o.At("containerDefinitions").Items() {
			check(p, c, c.At("name").Text())
		}
	}
}

func ecsRule(r rules.Rule) rules.Rule {
	r.References = append(r.References, docECS)
	r.Good, r.Language = hardenedTask, "json"
	return r
}

var ecsPrivileged = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-privileged", Title: "Task's container is privileged", Severity: finding.Critical,
		Why:          "A privileged container has all devices of its instance and no confinement: whoever takes over the process owns the instance and its role.",
		Fix:          "Remove `privileged`, and add the one capability that is needed.",
		WhenToIgnore: "Agents that must manage the instance itself.",
		Tags:         []string{tagEscape, tagPrivilege},
		Bad:          task(`"user"`, `"privileged": true, "user"`),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, name string) {
		if at := c.At("privileged"); at.True() {
			p.report(at, "Container %q runs privileged, which gives it the whole instance; remove it.", name)
		}
	}),
}

var ecsHostMode = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-host-mode", Title: "Task shares a namespace of its instance", Severity: finding.High,
		Why:          "In the instance's network, process or IPC namespace the task sees other tasks' traffic and processes, and the instance's own role by its metadata service.",
		Fix:          "Use `awsvpc` for the network, and `task` or nothing for processes and IPC.",
		WhenToIgnore: "Monitoring agents of the instance.",
		Tags:         []string{tagEscape, tagPrivilege},
		Bad:          task(`"networkMode": "awsvpc"`, `"networkMode": "host"`),
	}),
	object: func(p *pass, o *manifest.Object) {
		if o.Kind != manifest.TaskDefinition || o.APIVersion != manifest.ECS {
			return
		}
		for _, field := range []string{"networkMode", "pidMode", "ipcMode"} {
			if at := o.At(field); at.Text() == "host" {
				p.report(at, "%s shares the instance's namespace (%s: host); use awsvpc or task.", o.ID(), field)
			}
		}
	},
}

var ecsReadOnlyRootFS = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-read-only-root-fs", Title: "Task's root file system is writable", Severity: finding.Low,
		Why:          "An intruder in a container with a writable root file system can replace programs and drop tools.",
		Fix:          "Set `readonlyRootFilesystem` to true and mount a volume where the program must write.",
		WhenToIgnore: "Programs that write all over their installation.",
		Tags:         []string{"external/cwe/cwe-732", "external/mitre-attack/T1525"},
		Bad:          task("      \"readonlyRootFilesystem\": true,\n", ""),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, name string) {
		if at := c.At("readonlyRootFilesystem"); at.Node == nil || at.Node.Kind != manifest.Bool || !at.Node.Truth {
			p.report(at, "Container %q has a writable root file system; set readonlyRootFilesystem to true.", name)
		}
	}),
}

var ecsRootUser = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-root-user", Title: "Task's container may run as root", Severity: finding.Medium,
		Why:          "Without `user` the image decides, and most images choose root. Root in a container is root for the instance's kernel.",
		Fix:          "Set `user` to a user and group id above 10000.",
		WhenToIgnore: "Images that must start as root and drop it themselves.",
		Tags:         []string{tagPrivilege},
		Bad:          task("      \"user\": \"10001:10001\",\n", ""),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, name string) {
		at := c.At("user")
		user, _, _ := strings.Cut(at.Text(), ":")
		switch user {
		case "root", "0":
			p.reportAs(finding.High, at, "Container %q runs as root; set user to an id above 10000.", name)
		case "":
			p.report(at, "Container %q may run as root, since the image decides; set user to an id above 10000.", name)
		}
	}),
}

var ecsCaps = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-caps", Title: "Task's container gets capabilities", Severity: finding.High,
		Why:          "Each capability beyond the runtime's defaults gives a part of root's power over the instance; some, such as SYS_ADMIN, all of it.",
		Fix:          "Remove the capability from `linuxParameters.capabilities.add`.",
		WhenToIgnore: "Programs whose purpose needs it; `SYS_PTRACE` for debugging on Fargate.",
		Tags:         []string{tagEscape, tagPrivilege},
		Bad:          task(`{"drop": ["ALL"]}`, `{"drop": ["ALL"], "add": ["NET_ADMIN"]}`),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, name string) {
		for _, at := range c.At("linuxParameters", "capabilities", "add").Items() {
			what, dangerous := dangerousCaps[capName(at)]
			switch {
			case dangerous:
				p.reportAs(finding.Critical, at, "Container %q adds the capability %s (%s); remove it.", name, at.Text(), what)
			case at.Text() != "NET_BIND_SERVICE":
				p.report(at, "Container %q adds the capability %s; remove it.", name, at.Text())
			}
		}
	}),
}

var ecsDockerSock = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-docker-sock", Title: "Task mounts the container runtime's socket", Severity: finding.Critical,
		Why:          "Whoever can talk to the socket can start a privileged container with the instance's root file system: it is the same as root.",
		Fix:          "Remove the volume.",
		WhenToIgnore: "Agents that must manage containers, on instances of their own.",
		Tags:         []string{tagEscape, tagPrivilege},
		Bad:          task(`"networkMode"`, `"volumes": [{"name": "docker", "host": {"sourcePath": "/var/run/docker.sock"}}], "networkMode"`),
	}),
	object: func(p *pass, o *manifest.Object) {
		if o.Kind != manifest.TaskDefinition || o.APIVersion != manifest.ECS {
			return
		}
		for _, v := range o.At("volumes").Items() {
			if at := v.At("host", "sourcePath"); socketPath(at.Text()) {
				p.report(at, "%s mounts %q of its instance, through which the container runtime takes orders; remove the volume.", o.ID(), at.Text())
			}
		}
	},
}

var ecsSecretEnv = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-secret-env", Title: "Task has a credential in its environment", Sensitive: true, Severity: finding.High,
		Why:          "A credential in a task definition is in the repository and in every revision, for everybody who may describe it.",
		Fix:          "Move it to Secrets Manager or Parameter Store, name it under `secrets`, and replace it.",
		WhenToIgnore: "Values that only look like credentials.",
		Tags:         []string{"external/cwe/cwe-798", "external/mitre-attack/T1552.001"},
		Bad:          task(`"user"`, `"environment": [{"name": "DB_PASSWORD", "value": "s3cr3t-Pa55"}], "user"`),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, _ string) {
		for _, env := range c.At("environment").Items() {
			value := env.At("value")
			if what, hit := p.set.namedCredential(env.At("name").Text(), value.Text()); hit {
				p.report(value, "The variable %s holds %s in plain text; name it under secrets and replace it.", env.At("name").Text(), what)
			}
		}
	}),
}

var ecsNoLogs = rule{
	Rule: ecsRule(rules.Rule{
		ID: "ecs-no-logs", Title: "Task's container writes no log", Severity: finding.Low,
		Why:          "Without `logConfiguration` what the program says stays on the instance and goes with it: nobody sees an attack, and nobody can look it up.",
		Fix:          "Add `logConfiguration`, with awslogs or another driver.",
		WhenToIgnore: "Programs that send their log themselves.",
		Tags:         []string{"external/cwe/cwe-778"},
		Bad:          task(",\n      \"logConfiguration\": {\"logDriver\": \"awslogs\"}", ""),
	}),
	object: eachTaskContainer(func(p *pass, c *manifest.Place, name string) {
		if at := c.At("logConfiguration", "logDriver"); at.Text() == "" || at.Text() == "none" {
			p.report(at, "Container %q writes no log that outlives it; add logConfiguration.", name)
		}
	}),
}
