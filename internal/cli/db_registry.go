package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/spf13/cobra"

	"github.com/portcullis-ci/portcullis/internal/advisory/ociartifact"
	"github.com/portcullis-ci/portcullis/internal/advisory/supply"
	"github.com/portcullis-ci/portcullis/internal/exit"
	"github.com/portcullis-ci/portcullis/internal/target"
)

// registryHint goes with errors of commands that talk to a registry.
const registryHint = "check the reference, and that `docker login` was done for its registry"

// registry returns access to the registries of the references.
func (p Program) registry(f imageFlags, references ...string) (ociartifact.Registry, error) {
	var names []name.Option
	if f.insecure {
		names = append(names, name.Insecure)
	}
	var hosts []string
	for _, r := range references {
		ref, err := name.ParseReference(r, names...)
		if err != nil {
			return ociartifact.Registry{}, &exit.Error{Code: exit.Usage, Doing: fmt.Sprintf("read the reference %q", r), Err: err}
		}
		hosts = append(hosts, ref.Context().RegistryStr())
	}
	transport := target.Transport(hosts[0], target.Request{Insecure: f.insecure, AuthHosts: slices.Concat(f.authHost, hosts[1:])},
		target.Environment{Getenv: p.Getenv, HTTP: p.Transport})
	return ociartifact.Registry{
		Names:   names,
		Options: []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithTransport(transport)},
	}, nil
}

func (p Program) dbPushCommand() *cobra.Command {
	var database string
	var insecure bool
	cmd := &cobra.Command{
		Use:     "push REF",
		Short:   "Upload an advisory database to a registry",
		Example: "  portcullis db push registry.example/security/advisories:latest --db db/",
		Args:    exactlyOne("one reference"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.dbPush(cmd.Context(), database, args[0], insecure)
		},
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow plain HTTP to the registry")
	p.databaseFlag(cmd, &database)
	return cmd
}

func (p Program) dbPush(ctx context.Context, dir, reference string, insecure bool) (err error) {
	db, err := p.openDatabase(ctx, dir, imageFlags{insecure: insecure}, supply.Everything())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	registry, err := p.registry(imageFlags{insecure: insecure}, reference)
	if err != nil {
		return err
	}
	digest, err := registry.Push(ctx, db.Database, reference)
	if err != nil {
		return &exit.Error{Code: exit.NotExamined, Err: err, Hint: registryHint}
	}
	return p.printDigest(digest)
}

// printDigest prints a digest by which the database can be pinned.
func (p Program) printDigest(digest string) error {
	_, err := fmt.Fprintln(p.Stdout, digest)
	return err
}

func (p Program) dbPullCommand() *cobra.Command {
	var database string
	var insecure bool
	cmd := &cobra.Command{
		Use:     "pull REF",
		Short:   "Install an advisory database from a registry",
		Example: "  portcullis db pull registry.example/security/advisories:latest --db db/",
		Args:    exactlyOne("one reference"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.dbPull(cmd.Context(), database, args[0], insecure)
		},
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow plain HTTP to the registry")
	p.installFlag(cmd, &database)
	return cmd
}

func (p Program) dbPull(ctx context.Context, dir, reference string, insecure bool) error {
	dir, err := p.installInto(dir)
	if err != nil {
		return err
	}
	registry, err := p.registry(imageFlags{insecure: insecure}, reference)
	if err != nil {
		return err
	}
	digest, manifest, err := registry.Pull(ctx, reference, dir, nil)
	if err != nil {
		return &exit.Error{Code: exit.DataMissing, Err: err, Hint: registryHint}
	}
	records, size := totals(manifest)
	p.printf("%d records in %d shards, %s, built on %s\n",
		records, len(manifest.Shards), bytesInWords(size), manifest.Built.Format("2006-01-02"))
	return p.printDigest(digest)
}

func (p Program) dbCopyCommand() *cobra.Command {
	var insecure bool
	cmd := &cobra.Command{
		Use:     "copy FROM TO",
		Short:   "Copy an advisory database from one registry to another, unchanged",
		Example: "  portcullis db copy registry.example/security/advisories:1 mirror.example/advisories:1",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, fmt.Errorf("expected two references, but got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			registry, err := p.registry(imageFlags{insecure: insecure}, args...)
			if err != nil {
				return err
			}
			digest, err := registry.Copy(cmd.Context(), args[0], args[1])
			if err != nil {
				return &exit.Error{Code: exit.NotExamined, Err: err, Hint: registryHint}
			}
			return p.printDigest(digest)
		},
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow plain HTTP to the registries")
	return cmd
}
