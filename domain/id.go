package domain

// IDMax is the longest id, in characters.
const IDMax = 64

// ErrBadID refuses an id that could not be part of a stream's name.
var ErrBadID = &Error{
	Code: Invalid, Rule: "id.malformed",
	Text: "an id has 1 to 64 characters of A-Z a-z 0-9 _ -",
}

// Each kind of id has its own type, so that a payment can't pass for an invoice.
// Ids are what people use (C0001, INV-202611-0001), chosen by the caller or generated outside the domain.
type (
	SellerID   string // a client company whose money it is
	CustomerID string // a debtor of one seller
	InvoiceID  string // an open item of one account: an invoice, or a late charge
	PaymentID  string // money received on one account
	ReceiptID  string // money received from nobody knows whom, of one seller
	CreditID   string // a credit note of one account
	RefundID   string // money paid back
	DisputeID  string // an objection to an invoice
	WriteOffID string // an amount given up
	RecoveryID string // money that came in after a write-off
	KeyID      string // an access key, without its secret
)

// CheckID refuses what is not 1 to 64 characters of A-Z a-z 0-9 _ -.
func CheckID[T ~string](id T) error {
	if len(id) == 0 || len(id) > IDMax {
		return ErrBadID.With("%q", clip(string(id)))
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return ErrBadID.With("%q", clip(string(id)))
		}
	}
	return nil
}

// CheckText refuses text of more than most bytes, and empty text where it is required.
func CheckText(text string, required bool, most int) error {
	if required && text == "" {
		return ErrMissing
	}
	if len(text) > most {
		return ErrTooLong.With("%d bytes, at most %d", len(text), most)
	}
	for _, r := range text {
		if r == '\uFFFD' || (r < ' ' && r != '\n' && r != '\t') {
			return ErrMalformed.With("the text has a control character or is not UTF-8")
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > IDMax+16 {
		return s[:IDMax+16] + "..."
	}
	return s
}
