package credential

import "testing"

// A number behind a word says which of several secrets it is; in the names of
// checksums it belongs to the word.
func TestNumbersBehindAWordOfANameAreNoPartOfIt(t *testing.T) {
	for name, want := range map[string]Promise{
		"DB_PASSWORD2": StrongPromise, "password1": StrongPromise, "dbPassword02": StrongPromise, "API_KEY1": StrongPromise, "DB_PASSWORD_2": StrongPromise,
		"PASSWORD_SHA256": NoPromise, "TOKEN2_URL": NoPromise, "PAGE_TOKEN2": NoPromise, "GPG_KEY2": NoPromise, "X509": NoPromise, "COMPAT32": NoPromise, "PUB2_KEY": NoPromise,
	} {
		if got := Promises(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
