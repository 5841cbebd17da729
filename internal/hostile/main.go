// Command hostile builds images, archives, documents and registries as an
// attacker would make them, at full size, has the program examine each within
// bounds of time, memory and disk, and checks what it says. Run it with
// `make hostile`; the tests of the packages hold the same behaviour at sizes
// that every change can afford.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	binary := flag.String("bin", "bin/portcullis", "the program to examine")
	only := flag.String("only", "", "regular expression of the names of the cases to run (default: all)")
	skip := flag.String("skip", "^$", "regular expression of the names of the cases to leave out")
	verbose := flag.Bool("v", false, "show what the program says in each case")
	advisories := flag.String("advisories", "testdata/advisories", "OSV records to build the database from")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	unwanted, err := regexp.Compile(*skip)
	if err != nil {
		return fmt.Errorf("-skip: %w", err)
	}
	program, err := filepath.Abs(*binary)
	if err != nil {
		return err
	}
	h := harness{program: program, verbose: *verbose}
	if h.dir, err = os.MkdirTemp("", "hostile-*"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(h.dir) }()
	if err := h.buildDatabase(ctx, *advisories); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.TabIndent)
	ran, broken := 0, 0
	for _, c := range allCases() {
		if !wanted.MatchString(c.name) || unwanted.MatchString(c.name) {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.privileged && os.Geteuid() != 0 {
			fmt.Fprintf(table, "%s\t%s\tNOT PLAYED: only root can\n", c.row, c.name)
			continue
		}
		ran++
		r := h.examine(ctx, c)
		verdict := "ok"
		if len(r.wrong) > 0 {
			broken++
			verdict = "WRONG"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\texit %d\t%.1f s\t%.1f s CPU\t%d MB\t%d MB written\t%s\n",
			c.row, c.name, verdict, r.code, r.wall.Seconds(), r.processor.Seconds(), r.peak>>20, r.written>>20, r.reason)
		_ = table.Flush()
		for _, w := range r.wrong {
			fmt.Printf("\t%s\n", w)
		}
	}
	if ran == 0 {
		return fmt.Errorf("no case is named %q", *only)
	}
	fmt.Printf("%d cases, %d wrong\n", ran, broken)
	if broken > 0 {
		return fmt.Errorf("%d of %d cases went wrong", broken, ran)
	}
	return nil
}

// allCases are the cases in the order of their rows.
func allCases() []hostileCase {
	var all []hostileCase
	for _, some := range [][]hostileCase{treeCases(), archiveCases(), manifestCases(), wrappingCases(), databaseCases(), fileCases(), sbomCases(), dockerfileCases(), kubernetesCases(), registryCases(), runCases()} {
		all = append(all, some...)
	}
	return all
}
