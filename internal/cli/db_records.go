package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/portcullis-ci/portcullis/internal/advisory/update"
)

// recordFlags say which records a database is built from.
type recordFlags struct {
	ecosystems      []string
	feeds           []string
	dir             string
	export          string
	feedBase        string
	redistributable bool
}

func (f *recordFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.ecosystems, "ecosystem", nil, "ecosystem of OSV's export to build from: Debian, npm, Red Hat … (repeatable)")
	flags.StringArrayVar(&f.feeds, "feed", nil, "publisher's own feed to build from: "+strings.Join(update.FeedNames(), ", ")+" (repeatable)")
	flags.StringVar(&f.dir, "records", "", "directory to keep the fetched records in (default: in the cache)")
	flags.StringVar(&f.export, "osv-export", "", "address of OSV's export or a mirror of it (default "+update.DefaultBase+")")
	flags.StringVar(&f.feedBase, "feed-mirror", "", "address below which a mirror holds the feeds under their hosts and paths")
	flags.BoolVar(&f.redistributable, "redistributable", false, "leave out sources whose licence does not allow to pass their data on")
}

// any reports whether a database shall be built.
func (f *recordFlags) any() bool { return len(f.ecosystems)+len(f.feeds) > 0 }
