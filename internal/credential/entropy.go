package credential

import "math"

// entropy is Shannon's, in bits per byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	h, n := 0.0, float64(len(s))
	for _, c := range counts {
		if c > 0 {
			p := float64(c) / n
			h -= p * math.Log2(p)
		}
	}
	return h
}

// varied reports whether a text of a given alphabet is as varied as chance
// would make it, or nearly so.
func varied(s string, alphabet int) bool {
	if len(s) < 8 {
		return true
	}
	if isHex(s) {
		alphabet = 16
	}
	return entropy(s) >= 0.7*math.Log2(float64(min(len(s), alphabet)))
}

// classes tells what sorts of characters a value has. Switches counts changes
// between lower case, upper case and digits; what separates words is left out.
type classes struct{ lower, upper, digits, others, switches int }

func classesOf(s string) (c classes) {
	prev := 0
	for i := range len(s) {
		class := 0
		switch b := s[i]; {
		case 'a' <= b && b <= 'z':
			c.lower++
			class = 1
		case 'A' <= b && b <= 'Z':
			c.upper++
			class = 2
		case '0' <= b && b <= '9':
			c.digits++
			class = 3
		default:
			c.others++
		}
		if prev != 0 && class != 0 && class != prev {
			c.switches++
		}
		prev = class
	}
	return c
}

// kinds is how many sorts of characters occur.
func (c classes) kinds() int {
	n := 0
	for _, count := range []int{c.lower, c.upper, c.digits, c.others} {
		if count > 0 {
			n++
		}
	}
	return n
}

// random reports whether a value looks like made by a machine: long, of one
// word, with letters and digits mixed all over. The figures spare words put
// together and dates.
func random(s string) bool {
	if len(s) < 16 {
		return false
	}
	c := classesOf(s)
	letters := c.lower + c.upper
	switch {
	case humps(s):
		return false
	case letters == 0 || c.others > len(s)/2:
		return false
	case c.digits >= 2 && c.switches*5 >= len(s):
		return entropy(s) >= 3
	case c.lower > 0 && c.upper > 0 && c.switches*5 >= len(s)*2:
		return entropy(s) >= 3.5
	}
	return false
}

// humps reports names put together of words with capitals, as programs have
// them: PolicyToPathList, OdataTypeX509Certificate. Chance hardly makes two
// such words, and less so ones that fill most of a value.
func humps(s string) bool {
	words, filled := 0, 0
	for i := 0; i < len(s); {
		n := 1
		for i+n < len(s) && 'a' <= s[i+n] && s[i+n] <= 'z' {
			n++
		}
		if 'A' <= s[i] && s[i] <= 'Z' && n >= 3 {
			words++
			filled += n
		}
		i += n
	}
	return words >= 2 && filled*5 >= len(s)*3
}

// isHex reports hexadecimal digits, perhaps in groups.
func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !charsets['H'].has(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
