package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/config"
	"github.com/portcullis-ci/portcullis/internal/config/policyartifact"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/neutralise"
)

// fetchPolicy reads what a configuration includes from registries. The file
// that names an artifact by its digest is what asks for the access; it is told,
// and --offline forbids it.
func (p Program) fetchPolicy(offline, insecure bool) func(context.Context, string) ([]byte, error) {
	source := policyartifact.Source{
		Connect: func(reference string) (policyartifact.Registry, error) {
			if offline {
				return policyartifact.Registry{}, errors.New("it is in a registry and not in the cache, and the network is switched off")
			}
			p.printf("reading policy %s from its registry\n", neutralise.Log(reference))
			return p.policyRegistry(insecure, reference)
		},
		Cache: p.policyCache(),
		Tell:  func(err error) { p.printf("portcullis: %s\n", neutralise.Log(err.Error())) },
	}
	return source.Fetch
}

func (p Program) policyRegistry(insecure bool, reference string) (policyartifact.Registry, error) {
	r, err := p.registry(imageFlags{insecure: insecure}, reference)
	return policyartifact.Registry{Options: r.Options, Names: r.Names}, err
}

// policyCache is the directory of included policies; empty where the user has
// no cache directory.
func (p Program) policyCache() string {
	cache := p.cacheDir()
	if cache == "" {
		return ""
	}
	return filepath.Join(cache, "policies")
}

func (p Program) policyPushCommand() *cobra.Command {
	var insecure bool
	cmd := &cobra.Command{
		Use:   "push FILE REFERENCE",
		Short: "Upload a policy to a registry, for others to include by its digest",
		Long: `Upload a configuration file to a registry and print its digest. Other files
include it with include: oci://REGISTRY/REPOSITORY@DIGEST. A file with faults is
not uploaded, nor one that includes files, which nobody else would have.`,
		Example: "  portcullis policy push base.yaml registry.example/security/policy:2026-11",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, fmt.Errorf("expected a file and a reference, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.policyPush(cmd.Context(), args[0], args[1], insecure)
		},
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow plain HTTP to the registry")
	return cmd
}

func (p Program) policyPush(ctx context.Context, file, reference string, insecure bool) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read the policy", Err: err}
	}
	if err := config.CheckShared(file, content); err != nil {
		return &exit.Error{Code: exit.Usage, Doing: "read the policy", Err: err}
	}
	if _, err := name.ParseReference(reference); err != nil {
		return &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("read the reference %q", reference), Err: err}
	}
	registry, err := p.policyRegistry(insecure, reference)
	if err != nil {
		return err
	}
	digest, err := registry.Push(ctx, content, reference)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Err: err, Hint: registryHint}
	}
	return p.printDigest(digest)
}
