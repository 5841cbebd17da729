package kubernetes

import (
	"math/big"
	"regexp"
)

var quantityPattern = regexp.MustCompile(`^([+-]?[0-9]*\.?[0-9]+|[+-]?[0-9]+\.)(?:([eE][+-]?[0-9]{1,3})|([KMGTPE]i|[numkMGTPE]))?$`)

// suffixes of quantities, https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
var suffixes = map[string]*big.Rat{
	"n": big.NewRat(1, 1e9), "u": big.NewRat(1, 1e6), "m": big.NewRat(1, 1000), "": big.NewRat(1, 1),
	"k": big.NewRat(1e3, 1), "M": big.NewRat(1e6, 1), "G": big.NewRat(1e9, 1), "T": big.NewRat(1e12, 1), "P": big.NewRat(1e15, 1), "E": big.NewRat(1e18, 1),
	"Ki": big.NewRat(1<<10, 1), "Mi": big.NewRat(1<<20, 1), "Gi": big.NewRat(1<<30, 1), "Ti": big.NewRat(1<<40, 1), "Pi": big.NewRat(1<<50, 1), "Ei": big.NewRat(1<<60, 1),
}

// quantity reads an amount such as 100m, 1.5Gi or 1e3.
func quantity(text string) (*big.Rat, bool) {
	m := quantityPattern.FindStringSubmatch(text)
	if m == nil || len(text) > 64 {
		return nil, false
	}
	number, ok := new(big.Rat).SetString(m[1] + m[2])
	if !ok {
		return nil, false
	}
	return number.Mul(number, suffixes[m[3]]), true
}
