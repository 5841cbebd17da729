package gate

import (
	"cmp"
	"fmt"
	"time"

	"github.com/portcullis-ci/portcullis/internal/credential"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/finding"
	"github.com/portcullis-ci/portcullis/internal/outcome"
	"github.com/portcullis-ci/portcullis/internal/policy"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// TimeoutError is the cause of everything that a run's time limit cut off.
func TimeoutError(limit time.Duration) error {
	return &exit.Error{
		Code: exit.NotExamined, Doing: fmt.Sprintf("the examination took longer than %s", limit),
		Hint: "give it more time with --timeout",
	}
}

// Unfinished is the outcome of a run that was ended before it came to
// anything: everything that the request names is unexamined because of cause.
func Unfinished(req Request, cause error, now time.Time) outcome.Outcome {
	o := outcome.Outcome{Tool: req.Tool, Started: now, Finished: now, Findings: []finding.Finding{}}
	name := func(kind outcome.TargetKind, names ...string) {
		for _, n := range names {
			if n != "" {
				o.Targets = append(o.Targets, outcome.Target{Kind: kind, Name: credential.Withhold(n), Detail: "not examined"})
			}
		}
	}
	image := ""
	if req.Image.Reference != "" {
		image = req.imageName()
		name(outcome.TargetImage, image)
	}
	if req.RootFS != "" {
		name(outcome.TargetRootFS, cmp.Or(req.Name, target.FileName(req.RootFS)))
	}
	if req.SBOM != "" {
		name(outcome.TargetSBOM, cmp.Or(req.Name, target.FileName(req.SBOM)))
	}
	name(outcome.TargetDockerfile, req.Dockerfiles...)
	name(outcome.TargetManifest, req.Manifests...)
	o.Failures = []outcome.Failure{failure("run", image, cause)}
	o.Verdict, o.ExitCode = policy.Evaluate(req.Policy, policy.Input{Failures: o.Failures, Now: now})
	return o
}
