package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/customer"
	"github.com/urikake/urikake/domain/seller"
)

// house is one client company with its staff and its customers.
type house struct {
	*world
	id       domain.SellerID
	settings seller.Settings
	zone     *time.Location
	bank     domain.Calendar
	payee    seller.Payee
	clients  []*client
	counters map[string]int

	billing, cash, manager string // who does the work

	trade
}

// trade is what a house sells and how its customers pay.
type trade struct {
	articles []article
	unit     int64   // minor units of a coin that prices are told in
	fees     []int64 // what banks take off a transfer, in minor units
	lateRate domain.Rate
	methods  []string
	words    map[string][]string // what people write, by occasion
}

type article struct {
	name     string
	price    string
	category account.TaxCategory
	rate     domain.Rate
	most     int // pieces on one line
}

// client is one customer of a house, with the account that the play keeps.
type client struct {
	*house
	account.Key
	details customer.Details
	terms   domain.Terms
	limit   []domain.Money
	profile profile
	size    int // how much is bought: 1 to 4

	state     *account.State
	card      card
	collapses domain.Date // of an insolvent one: the day
	collapsed bool        // pays nothing any more
	closed    bool        // deactivated
	waiting   []*fund
	waits     bool // the desk for late payers has something to do with it
}

// profile is how a customer behaves.
type profile int

const (
	prompt profile = iota
	late
	chronic // chronically late
	parts   // pays in parts
	disputer
	insolvent
)

// profiles of any twelve customers.
var profiles = []profile{prompt, prompt, prompt, prompt, late, late, chronic, parts, disputer, prompt, late, insolvent}

// next is an id that the house has not used.
func (h *house) next(prefix string) string {
	h.counters[prefix]++
	return fmt.Sprintf("%s%05d", prefix, h.counters[prefix])
}

// say draws what somebody writes on an occasion.
func (h *house) say(occasion string) string { return pick(h.world, h.words[occasion]) }

func (h *house) money(minor int64) domain.Money {
	return domain.NewMoney(minor, h.settings.BaseCurrency)
}

// add takes on a customer who is known before the play begins.
func (h *house) add(i int, id string, details customer.Details, terms domain.Terms) {
	c := &client{
		house: h, details: details, terms: terms, size: h.between(1, 4), state: account.Decider.New(),
		Key:     account.Key{Seller: h.id, Customer: domain.CustomerID(id), Currency: h.settings.BaseCurrency},
		profile: profiles[i%len(profiles)],
		card:    card{payments: make(map[domain.PaymentID]*fund), credits: make(map[domain.CreditID]*fund)},
	}
	if h.chance(700) {
		c.limit = []domain.Money{h.money(int64(c.size) * 5_000 * h.unit)}
	}
	h.clients = append(h.clients, c)
}

// shuffle deals the profiles out anew, so that another seed has other late payers. One insolvency is so fresh that
// nothing is written off yet, the others are wound up before the play ends.
func (h *house) shuffle() {
	h.rng.Shuffle(len(h.clients), func(i, j int) {
		a, b := h.clients[i], h.clients[j]
		a.profile, b.profile = b.profile, a.profile
	})
	fresh := true
	for _, c := range h.clients {
		if c.profile == insolvent {
			c.collapses = h.first.AddDays(h.between(Days*2/5, Days*11/20))
			if fresh {
				c.collapses = h.today.AddDays(-h.between(135, 150))
			}
			fresh = false
		}
	}
}

// term is CLOSING terms: 締日 of a month, payment on payDay so many months later.
func term(offset, payDay int, rule domain.HolidayRule, closing ...int) domain.Terms {
	return domain.Terms{Kind: domain.TermsClosing, ClosingDays: closing, MonthOffset: offset, PayDay: payDay, HolidayRule: rule}
}

const monthEnd = domain.MonthEnd

var japaneseTerms = []domain.Terms{
	term(1, monthEnd, domain.HolidayNext, monthEnd),     // 末/翌月末
	term(1, 20, domain.HolidayNext, 20),                 // 20/翌20
	term(1, monthEnd, domain.HolidayPrevious, monthEnd), // 末/翌月末, paid before a holiday
	term(1, monthEnd, domain.HolidayNext, 15, monthEnd), // 15・末/翌月末
	term(2, 10, domain.HolidayNext, monthEnd),           // 末/翌々月10
	term(1, 20, domain.HolidayModifiedNext, monthEnd),   // 末/翌月20
}

func yamato(w *world) *house {
	h := &house{
		world: w, id: "YAMATO", zone: time.FixedZone("JST", 9*3600), counters: make(map[string]int),
		billing: "kondo", cash: "mizuno", manager: "hayakawa", trade: japaneseTrade,
	}
	h.settings = seller.Settings{
		Name: "ヤマト見本商事株式会社", NameEn: "Yamato Mihon Trading Co., Ltd.", TimeZone: "Asia/Tokyo", BaseCurrency: "JPY",
		Language: domain.Japanese, Rounding: domain.RoundDown, Tolerance: []domain.Money{domain.NewMoney(1_000, "JPY")}, DefaultSeries: "INV",
	}
	h.bank = h.settings.BankDays.Days()
	h.payee = seller.Payee{
		Currency: "JPY", Bank: "見本銀行", BankCode: "9999", Branch: "本店営業部", BranchCode: "001", Kind: seller.Ordinary, Number: "0001234",
		Holder: "ﾔﾏﾄﾐﾎﾝｼﾖｳｼﾞ(ｶ",
	}
	for i := range 36 {
		place, shop := japanesePlaces[i%len(japanesePlaces)], japaneseShops[(i*5+i/len(japanesePlaces))%len(japaneseShops)]
		form := japaneseForms[i%len(japaneseForms)]
		details := customer.Details{
			Name: form[0] + place[0] + shop[0] + form[1], Kana: form[2] + place[1] + shop[1] + form[3],
			Language: domain.Japanese, Country: "JP",
			Contacts: []customer.Contact{{Name: pick(w, japanesePeople), Email: fmt.Sprintf("keiri@k%03d.example", 101+i), Phone: fmt.Sprintf("03-0000-%04d", 101+i), Role: "経理"}},
		}
		h.add(i, fmt.Sprintf("K%03d", 101+i), details, japaneseTerms[i%len(japaneseTerms)])
	}
	h.shuffle()
	return h
}

func larkmoor(w *world) *house {
	h := &house{
		world: w, id: "LARKMOOR", zone: time.FixedZone("CST", -6*3600), counters: make(map[string]int),
		billing: "dana", cash: "felix", manager: "rosalind", trade: americanTrade,
	}
	h.settings = seller.Settings{
		Name: "Larkmoor Supply Company", TimeZone: "America/Chicago", BaseCurrency: "USD", Language: domain.English,
		Rounding: domain.RoundHalfUp, Tolerance: []domain.Money{domain.NewMoney(30_00, "USD")}, DefaultSeries: "INV",
		BankDays: domain.BankDays{Calendar: domain.BanksWeekdays},
	}
	h.bank = h.settings.BankDays.Days()
	h.payee = seller.Payee{Currency: "USD", Lines: []string{"Sample Bank, N.A., Chicago", "ABA 000000000, account 000123456", "Larkmoor Supply Company"}}
	for i := range 24 {
		place, shop := americanPlaces[i%len(americanPlaces)], americanShops[i%len(americanShops)]
		details := customer.Details{
			Name: place + " " + shop + pick(w, []string{", Inc.", " LLC", " Co."}), Language: domain.English, Country: "US",
			Contacts: []customer.Contact{{Name: pick(w, americanPeople), Email: "ap@" + strings.ToLower(place+"-"+shop) + ".example", Phone: fmt.Sprintf("+1 312 555 %04d", 101+i), Role: "accounts payable"}},
		}
		if i%9 == 4 {
			details.Country = "CA"
		}
		terms := domain.Terms{Kind: domain.TermsNet, NetDays: []int{30, 30, 45, 15, 30, 60}[i%6]}
		h.add(i, fmt.Sprintf("C%04d", 2001+i), details, terms)
	}
	h.shuffle()
	return h
}
