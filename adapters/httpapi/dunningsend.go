package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	reminding "github.com/urikake/urikake/adapters/dunning"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/access"
	"github.com/urikake/urikake/domain/dunning"
)

// ErrNoOutbox refuses to send where there is nowhere to send to.
var ErrNoOutbox = &domain.Error{
	Code: domain.Unavailable, Rule: "dunning.no_outbox",
	Text: "this ledger has no outbox that reminders could be written into",
}

// SendingsWanted asks that queued reminders be sent.
type SendingsWanted struct {
	On     domain.Date      `json:"on,omitzero" doc:"the day on which they are sent; today, in the seller's time zone, when left out"`
	Acting dunning.Capacity `json:"acting,omitempty" enum:"AGENCY,CREDITOR" doc:"in whose name: AGENCY (when left out) or CREDITOR, which takes the permission dunning:creditor"`
}

// SendingsDone is the last line of a sending.
type SendingsDone reminding.SendResult

// sendings writes into the ledger's own outbox: a request names no place.
func (a *API) sendings(ctx context.Context, in *worksIn) (*huma.StreamResponse, error) {
	var wanted SendingsWanted
	if err := in.wanted(&wanted); err != nil {
		return nil, err
	}
	if err := acting(ctx, in.Seller, wanted.Acting); err != nil {
		return nil, err
	}
	id := domain.SellerID(in.Seller)
	if _, err := a.oneSeller(ctx, id); err != nil {
		return nil, err
	}
	if a.books.Outbox == nil {
		return nil, ErrNoOutbox
	}
	p, _ := principalOf(ctx)
	return long(func(ctx context.Context, tell func(done, total int64)) (any, error) {
		r, err := reminding.Send(ctx, a.reminding(), reminding.SendRequest{
			Seller: id, Outbox: a.books.Outbox(id), On: wanted.On, Actor: p.Actor, As: wanted.Acting,
			Progress: func(done, total int) { tell(int64(done), int64(total)) },
		})
		if err != nil {
			return nil, err
		}
		return SendingsDone(r), nil
	}), nil
}

// PreviewWanted asks what a debtor would be sent.
type PreviewWanted struct {
	Customer domain.CustomerID `json:"customer" doc:"the debtor"`
	Currency domain.Currency   `json:"currency" doc:"ISO 4217 code of the account"`
	AsOf     domain.Date       `json:"as_of,omitzero" doc:"the day that is decided for; today, in the seller's time zone, when left out"`
	Acting   dunning.Capacity  `json:"acting,omitempty" enum:"AGENCY,CREDITOR" doc:"in whose name: AGENCY (when left out) or CREDITOR"`
}

// Preview is what a run would decide about a debtor, and what would be sent.
type Preview struct {
	Says     string            `json:"says" doc:"the reason with the facts that matter most"`
	Decision dunning.Decision  `json:"decision" doc:"what is decided, and why"`
	Letter   *reminding.Letter `json:"letter,omitempty" doc:"the reminder that is due, or queued already; absent: there is none"`
}

func (a *API) preview(ctx context.Context, in *worksIn) (*huma.StreamResponse, error) {
	var wanted PreviewWanted
	if err := in.read(&wanted); err != nil {
		return nil, err
	}
	var faults domain.Faults
	faults.Add("/customer", domain.CheckID(wanted.Customer))
	faults.Add("/currency", wanted.Currency.Check())
	switch wanted.Acting {
	case "", dunning.Agency, dunning.Creditor:
	default:
		faults.Add("", errActing(wanted.Acting))
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	alsoAsked(ctx, "customer", string(wanted.Customer), "currency", string(wanted.Currency), "as_of", wanted.AsOf.String())
	id := domain.SellerID(in.Seller)
	if _, err := a.oneSeller(ctx, id); err != nil {
		return nil, err
	}
	letter, d, err := reminding.Preview(ctx, a.reminding(), reminding.PreviewRequest{
		Key: dunning.Key{Seller: id, Customer: wanted.Customer, Currency: wanted.Currency}, AsOf: wanted.AsOf, As: wanted.Acting,
	})
	if err != nil {
		return nil, err
	}
	return jsonAnswer(Preview{d.String(), d, letter})
}

func (a *API) addSendings() {
	const path = "/v1/sellers/{seller}/dunning/"
	add(a, operation{
		id: "send-reminders", method: http.MethodPost, path: path + "sendings", tag: "Dunning", summary: "look at every queued reminder once more, and send it",
		about: "A debtor who has paid or objected meanwhile is not reminded: the reminder is dropped with the reason. What is sent is written into the " +
			"outbox of this ledger, outbox/{seller} in its directory. Sent again, a reminder goes out once." + longAbout,
		permission: access.WriteDunning, body: smallBody, describe: describeLong[SendingsWanted, SendingsDone](a),
	}, a.sendings)
	add(a, operation{
		id: "preview-reminder", method: http.MethodPost, path: path + "preview", tag: "Dunning", summary: "what one debtor would be sent, and why",
		about: "Decides as a run would, and writes the letter. Nothing is recorded.", permission: access.ReadReports, body: smallBody,
		describe: describeExchange[PreviewWanted, Preview](a),
	}, a.preview)
}
