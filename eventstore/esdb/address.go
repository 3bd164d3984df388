package esdb

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/urikake/urikake/domain"
)

// Address is where a log is: a cluster, and which streams of it.
type Address struct {
	Prefix string // of the ledger's streams on the server; "": they have their own names

	config    esdb.Configuration
	shown     string
	appendMax int
}

// ErrAddress refuses what names no cluster.
var ErrAddress = &domain.Error{
	Code: domain.Invalid, Rule: "log.bad_address",
	Text: "a cluster is named like esdb://USER:PASSWORD@HOST:2113,HOST2:2113?tls=true, or esdb+discover://NAME:2113",
}

// settings are what may stand after the question mark. The first two are ours, the others the client's.
var settings = []string{
	"prefix", "maxappendsize",
	"tls", "tlsverifycert", "tlscafile", "usercertfile", "userkeyfile",
	"discoveryinterval", "gossiptimeout", "maxdiscoverattempts", "keepaliveinterval", "keepalivetimeout",
	"defaultdeadline", "nodepreference",
}

// IsAddress tells an address of a cluster from a directory.
func IsAddress(text string) bool {
	return strings.HasPrefix(text, "esdb://") || strings.HasPrefix(text, "esdb+discover://")
}

// ParseAddress reads a connection string as all clients of EventStoreDB take it, with two settings of our own: prefix
// (letters, digits and . _ only, so that categories stay what they are) and maxAppendSize (bytes, as the server was told).
// Refuses log.bad_address; its text never shows a password.
func ParseAddress(text string) (Address, error) {
	base, query, _ := strings.Cut(text, "?")
	scheme, hosts, _ := strings.Cut(base, "://")
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		hosts = hosts[at+1:]
	}
	a := Address{shown: scheme + "://" + strings.TrimSuffix(hosts, "/"), appendMax: AppendMax}
	if !IsAddress(text) {
		return a, ErrAddress.With("it begins with esdb:// or esdb+discover://")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return a, ErrAddress.With("%s: what follows the question mark can't be read", a.shown)
	}
	for name := range values {
		if !slices.Contains(settings, strings.ToLower(name)) {
			return a, ErrAddress.With("%s: there is no setting %q; there are %s", a.shown, name, strings.Join(settings, ", "))
		}
	}
	if err := a.take(values); err != nil {
		return a, err
	}
	if query = values.Encode(); query != "" {
		base += "?" + query
	}
	config, err := esdb.ParseConnectionString(base)
	if err != nil {
		return a, ErrAddress.With("%s: %s", a.shown, strings.ReplaceAll(err.Error(), base, a.shown))
	}
	if config.NodePreference != esdb.NodePreferenceLeader {
		return a, ErrAddress.With("%s: nodePreference: only the leader knows all that was acknowledged; leave it out", a.shown)
	}
	if config.Username != "" && config.DisableTLS {
		return a, ErrAddress.With("%s: a password is never sent without TLS; leave out one of the two", a.shown)
	}
	a.config = *config
	return a, nil
}

// take takes our own settings out of the query.
func (a *Address) take(values url.Values) error {
	for name, of := range values {
		switch value := of[0]; strings.ToLower(name) {
		case "prefix":
			foreign := func(r rune) bool {
				return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.')
			}
			if len(value) > prefixMax || strings.IndexFunc(value, foreign) >= 0 {
				return ErrAddress.With("%s: prefix has at most %d letters, digits, dots and underscores", a.shown, prefixMax)
			}
			a.Prefix = value
		case "maxappendsize":
			n, err := strconv.Atoi(value)
			if err != nil || n < AppendMax || n > 16<<20 {
				return ErrAddress.With("%s: maxAppendSize is from %d to %d bytes", a.shown, AppendMax, 16<<20)
			}
			a.appendMax = n
		default:
			continue
		}
		delete(values, name)
	}
	return nil
}

const prefixMax = 60

// String shows the address without credentials.
func (a Address) String() string {
	if a.Prefix != "" {
		return a.shown + "?prefix=" + a.Prefix
	}
	return a.shown
}
