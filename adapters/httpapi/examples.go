package httpapi

import "slices"

// Examples of every operation, in an order that makes sense on a fresh ledger: a seller is taken on, then a customer,
// who is sent invoices, pays, complains and is written off; then what all that adds up to is read, and another customer
// is reminded until he pays. The description shows them with their answers, which docs/examples.json has: a test sends them all and compares.

// example is a request as a client sends it.
type example struct {
	operation string // its id
	about     string // what it shows, in a few words; also its name
	target    string // path and query
	headers   string // "Name: value", one a line
	body      string
}

// The keys that the examples make; their ids and secrets are made by chance, and so these stand for them.
const (
	exampleKey   = "QX4MZ7WN2KBT"
	exampleToken = "urikake_QX4MZ7WN2KBT_c2VjcmV0IGFzIHNob3duIGluIHRoZSBleGFtcGxlcyE"
	secondKey    = "QX4MZ7WN2KBU"
	secondToken  = "urikake_QX4MZ7WN2KBU_c2VjcmV0IGFzIHNob3duIGluIHRoZSBleGFtcGxlcyE"
)

var examples = slices.Concat(bookExamples, dunningExamples, officeExamples)

// bookExamples are about what is owed.
var bookExamples = []example{
	{"register-seller", "take on a seller", "/v1/sellers", "Idempotency-Key: seller-yamato", `{
		"seller": "YAMATO", "name": "大和商事株式会社", "name_en": "Yamato Trading Co., Ltd.", "time_zone": "Asia/Tokyo",
		"base_currency": "JPY", "language": "ja", "rounding": "DOWN", "default_series": "INV",
		"tolerance": [{"amount": "880", "currency": "JPY"}]}`},
	{"change-seller", "round halves up from now on", "/v1/sellers/YAMATO/settings", "Idempotency-Key: seller-yamato-2", `{
		"name": "大和商事株式会社", "name_en": "Yamato Trading Co., Ltd.", "time_zone": "Asia/Tokyo",
		"base_currency": "JPY", "language": "ja", "rounding": "HALF_UP", "default_series": "INV",
		"tolerance": [{"amount": "880", "currency": "JPY"}], "reason": "the auditors asked for it"}`},
	{"register-customer", "take on a customer", "/v1/sellers/YAMATO/customers", "Idempotency-Key: customer-k101", `{
		"customer": "K101", "name": "株式会社青葉製作所", "kana": "アオバセイサクショ", "language": "ja", "country": "JP",
		"contacts": [{"name": "青木花子", "email": "keiri@aoba.example", "role": "billing"}],
		"terms": {"kind": "CLOSING", "closing_days": [99], "month_offset": 1, "pay_day": 99, "holiday_rule": "PREVIOUS"},
		"credit_limit": [{"amount": "1000000", "currency": "JPY"}]}`},
	{"change-customer", "the billing contact has changed", "/v1/sellers/YAMATO/customers/K101/details", "Idempotency-Key: customer-k101-2", `{
		"name": "株式会社青葉製作所", "kana": "アオバセイサクショ", "language": "ja", "country": "JP",
		"contacts": [{"name": "森健一", "email": "keiri@aoba.example", "role": "billing"}], "reason": "Ms Aoki has left"}`},
	{"set-payment-terms", "30 days net", "/v1/sellers/YAMATO/customers/K101/terms", "Idempotency-Key: terms-k101", `{
		"terms": {"kind": "NET", "net_days": 30, "holiday_rule": "NEXT"}, "reason": "new framework contract"}`},
	{"set-credit-limit", "raise the limit", "/v1/sellers/YAMATO/customers/K101/credit-limit", "Idempotency-Key: limit-k101", `{
		"credit_limit": [{"amount": "3000000", "currency": "JPY"}], "reason": "credit review of June 2026"}`},
	{"deactivate-customer", "no more invoices", "/v1/sellers/YAMATO/customers/K101/deactivation", "Idempotency-Key: stop-k101", `{
		"reason": "the account is under review"}`},
	{"reactivate-customer", "invoices again", "/v1/sellers/YAMATO/customers/K101/reactivation", "Idempotency-Key: go-k101", `{
		"reason": "the review is over"}`},
	{"register-customer", "one who never buys", "/v1/sellers/YAMATO/customers", "Idempotency-Key: customer-k199", `{
		"customer": "K199", "name": "鈴木太郎", "contacts": [{"name": "鈴木太郎", "phone": "03-0000-0199"}]}`},
	{"erase-customer", "forget who it was", "/v1/sellers/YAMATO/customers/K199/erasure", "Idempotency-Key: erase-k199", `{
		"on": "2026-06-01", "reason": "asked for deletion, and there never was any business"}`},

	{"issue-invoice", "an invoice by lines", "/v1/sellers/YAMATO/invoices", "Idempotency-Key: invoice-0630", `{
		"customer": "K101", "currency": "JPY", "invoice": "I-0630", "issued_on": "2026-06-30", "due_on": "2026-07-31",
		"lines": [
			{"description": "保守サービス 6月分", "quantity": "1", "unit_price": "100000", "tax_category": "STANDARD", "tax_rate": "10"},
			{"description": "検査用試料", "quantity": "12.5", "unit_price": "240", "tax_category": "REDUCED", "tax_rate": "8", "discount": "100"}],
		"buyer_reference": "PO-7781"}`},
	{"issue-invoice", "a plain total, due by the terms", "/v1/sellers/YAMATO/invoices", "Idempotency-Key: invoice-0715", `{
		"customer": "K101", "currency": "JPY", "invoice": "I-0715", "issued_on": "2026-07-15",
		"total": {"amount": "50000", "currency": "JPY"}}`},
	{"issue-invoice", "refused: several faults", "/v1/sellers/YAMATO/invoices", "Idempotency-Key: invoice-bad", `{
		"customer": "K101", "currency": "JPY", "issued_on": "1826-06-30", "due_on": "1826-07-31",
		"total": {"amount": "0.5", "currency": "JPY"}}`},
	{"issue-invoice", "another invoice", "/v1/sellers/YAMATO/invoices", "Idempotency-Key: invoice-0716", `{
		"customer": "K101", "currency": "JPY", "invoice": "I-0716", "issued_on": "2026-07-16",
		"total": {"amount": "50000", "currency": "JPY"}}`},
	{"void-invoice", "it was issued twice", "/v1/sellers/YAMATO/invoices/I-0716/voiding", "Idempotency-Key: void-0716", `{
		"customer": "K101", "currency": "JPY", "on": "2026-07-17", "reason": "issued twice"}`},
	{"change-due-date", "two more weeks", "/v1/sellers/YAMATO/invoices/I-0715/due-date", "Idempotency-Key: due-0715", `{
		"customer": "K101", "currency": "JPY", "due_on": "2026-08-31", "on": "2026-08-01", "reason": "asked for more time", "by": "佐藤"}`},

	{"issue-credit-note", "free credit", "/v1/sellers/YAMATO/credit-notes", "Idempotency-Key: credit-1", `{
		"customer": "K101", "currency": "JPY", "credit": "CN-1", "series": "CN", "issued_on": "2026-07-20", "reason_code": "GOODWILL",
		"lines": [{"description": "お詫び", "quantity": "1", "unit_price": "1000", "tax_category": "STANDARD", "tax_rate": "10"}]}`},
	{"apply-credit", "settle with credit", "/v1/sellers/YAMATO/credit-notes/CN-1/applications", "Idempotency-Key: apply-credit-1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-07-21",
		"allocations": [{"invoice": "I-0715", "amount": {"amount": "1100", "currency": "JPY"}}]}`},
	{"unapply-credit", "take it back", "/v1/sellers/YAMATO/credit-notes/CN-1/unapplications", "Idempotency-Key: unapply-credit-1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-07-22", "reason": "meant for a later invoice",
		"allocations": [{"invoice": "I-0715", "amount": {"amount": "1100", "currency": "JPY"}}]}`},

	{"record-payment", "money received", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260731-17", `{
		"customer": "K101", "currency": "JPY", "payment": "P-1", "received_on": "2026-07-31",
		"amount": {"amount": "80000", "currency": "JPY"},
		"allocations": [{"invoice": "I-0630", "amount": {"amount": "70000", "currency": "JPY"}}],
		"method": "TRANSFER", "reference": "20260731-000017", "payer": "ｱｵﾊﾞｾｲｻｸｼﾖ"}`},
	{"record-payment", "sent again: booked once", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260731-17", `{
		"customer": "K101", "currency": "JPY", "payment": "P-1", "received_on": "2026-07-31",
		"amount": {"amount": "80000", "currency": "JPY"},
		"allocations": [{"invoice": "I-0630", "amount": {"amount": "70000", "currency": "JPY"}}],
		"method": "TRANSFER", "reference": "20260731-000017", "payer": "ｱｵﾊﾞｾｲｻｸｼﾖ"}`},
	{"record-payment", "refused: the key was another command's", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260731-17", `{
		"customer": "K101", "currency": "JPY", "payment": "P-1", "received_on": "2026-07-31",
		"amount": {"amount": "90000", "currency": "JPY"}}`},
	{"record-payment", "refused: more than is open", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260801-4", `{
		"customer": "K101", "currency": "JPY", "received_on": "2026-08-01", "amount": {"amount": "90000", "currency": "JPY"},
		"allocations": [{"invoice": "I-0630", "amount": {"amount": "90000", "currency": "JPY"}}]}`},
	{"record-payment", "refused: the account has changed", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260801-5\nIf-Match: \"2\"", `{
		"customer": "K101", "currency": "JPY", "received_on": "2026-08-01", "amount": {"amount": "1000", "currency": "JPY"}}`},
	{"apply-payment", "settle with unapplied cash", "/v1/sellers/YAMATO/payments/P-1/applications", "Idempotency-Key: apply-p1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-08-03",
		"allocations": [{"invoice": "I-0715", "amount": {"amount": "5000", "currency": "JPY"}}]}`},
	{"unapply-payment", "take it back", "/v1/sellers/YAMATO/payments/P-1/unapplications", "Idempotency-Key: unapply-p1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-08-04", "reason": "the customer meant another invoice",
		"allocations": [{"invoice": "I-0715", "amount": {"amount": "5000", "currency": "JPY"}}]}`},
	{"record-receipt", "nobody knows whose it is", "/v1/sellers/YAMATO/receipts", "Idempotency-Key: bank-20260805-3", `{
		"receipt": "20260805-000003", "received_on": "2026-08-05", "amount": {"amount": "44340", "currency": "JPY"},
		"payer": "ｻﾄｳ ﾊﾅｺ", "reference": "7/15 ﾌﾞﾝ", "account": "0001-001-0123456"}`},
	{"record-receipt", "another, with an invoice's number", "/v1/sellers/YAMATO/receipts", "Idempotency-Key: bank-20260805-4", `{
		"receipt": "20260805-000004", "received_on": "2026-08-05", "amount": {"amount": "1000", "currency": "JPY"},
		"payer": "ｱｵﾊﾞｾｲｻｸｼﾖ", "reference": "INV-2026-000002"}`},
	{"record-receipt", "a transfer to the wrong company", "/v1/sellers/YAMATO/receipts", "Idempotency-Key: bank-20260806-1", `{
		"receipt": "20260806-000001", "received_on": "2026-08-06", "amount": {"amount": "7000", "currency": "JPY"}, "payer": "ｽｽﾞｷ ｲﾁﾛｳ"}`},
	{"assign-receipt", "it is this customer's", "/v1/sellers/YAMATO/receipts/20260805-000004/assignment", "Idempotency-Key: assign-20260805-4", `{
		"received_on": "2026-08-05", "customer": "K101", "payment": "P-3", "unapplied": true}`},
	{"assign-receipt", "refused: it is a payment already", "/v1/sellers/YAMATO/receipts/20260805-000004/assignment", "Idempotency-Key: assign-again", `{
		"received_on": "2026-08-05", "customer": "K102"}`},
	{"return-receipt", "it went back", "/v1/sellers/YAMATO/receipts/20260806-000001/return", "Idempotency-Key: return-20260806-1", `{
		"received_on": "2026-08-06", "on": "2026-08-07", "reason": "meant for another company"}`},
	{"issue-refund", "pay back what is left", "/v1/sellers/YAMATO/refunds", "Idempotency-Key: refund-1", `{
		"customer": "K101", "currency": "JPY", "refund": "R-1", "payment": "P-1", "on": "2026-08-10",
		"amount": {"amount": "2000", "currency": "JPY"}, "reference": "20260810-000044", "reason": "paid too much"}`},
	{"record-payment", "the oldest due first", "/v1/sellers/YAMATO/payments", "Idempotency-Key: bank-20260820-2", `{
		"customer": "K101", "currency": "JPY", "payment": "P-2", "received_on": "2026-08-20", "amount": {"amount": "3000", "currency": "JPY"}}`},
	{"reverse-payment", "it bounced", "/v1/sellers/YAMATO/payments/P-2/reversal", "Idempotency-Key: bounced-p2", `{
		"customer": "K101", "currency": "JPY", "on": "2026-08-22", "reason": "資金不足"}`},

	{"open-dispute", "part of it is defective", "/v1/sellers/YAMATO/disputes", "Idempotency-Key: dispute-1", `{
		"customer": "K101", "currency": "JPY", "dispute": "D-1", "invoice": "I-0630", "on": "2026-08-24",
		"amount": {"amount": "30000", "currency": "JPY"}, "reason_code": "DEFECTIVE", "note": "three pieces are cracked"}`},
	{"resolve-dispute", "upheld, with a credit note", "/v1/sellers/YAMATO/disputes/D-1/resolution", "Idempotency-Key: resolve-1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-08-28", "outcome": "UPHELD", "credit": "CN-2", "series": "CN",
		"amount": {"amount": "20000", "currency": "JPY"}, "note": "two of three pieces"}`},
	{"settle-difference", "the bank kept its fee", "/v1/sellers/YAMATO/differences", "Idempotency-Key: fee-1", `{
		"customer": "K101", "currency": "JPY", "invoice": "I-0630", "on": "2026-09-01",
		"amount": {"amount": "440", "currency": "JPY"}, "reason_code": "BANK_FEE"}`},
	{"assess-late-charge", "14.6 % a year", "/v1/sellers/YAMATO/late-charges", "Idempotency-Key: late-1", `{
		"customer": "K101", "currency": "JPY", "charge": "L-1", "invoice": "I-0630", "rate": "14.6", "to": "2026-09-30",
		"on": "2026-10-01", "due_on": "2026-10-31"}`},
	{"waive-late-charge", "for goodwill", "/v1/sellers/YAMATO/late-charges/L-1/waiver", "Idempotency-Key: waive-1", `{
		"customer": "K101", "currency": "JPY", "on": "2026-10-15", "amount": {"amount": "500", "currency": "JPY"},
		"reason": "goodwill", "approver": "経理部長 鈴木"}`},
	{"write-off", "it can't be collected", "/v1/sellers/YAMATO/write-offs", "Idempotency-Key: write-off-1", `{
		"customer": "K101", "currency": "JPY", "write_off": "W-1", "invoice": "I-0630", "on": "2026-12-28",
		"amount": {"amount": "12692", "currency": "JPY"}, "reason": "bankruptcy of the debtor", "approver": "経理部長 鈴木"}`},
	{"recover-write-off", "some came in after all", "/v1/sellers/YAMATO/write-offs/W-1/recoveries", "Idempotency-Key: recover-1", `{
		"customer": "K101", "currency": "JPY", "recovery": "RC-1", "on": "2026-12-30", "amount": {"amount": "5000", "currency": "JPY"}}`},
	{"carry-forward", "begin the year's stream", "/v1/sellers/YAMATO/carry-forwards", "Idempotency-Key: carry-2027", `{
		"customer": "K101", "currency": "JPY", "on": "2026-12-31", "into": "2027"}`},
	{"set-payees", "the account that letters name", "/v1/sellers/YAMATO/payees", "Idempotency-Key: payees-1", `{
		"payees": [{"currency": "JPY", "bank": "みどり銀行", "bank_code": "0001", "branch": "本店", "branch_code": "001", "kind": "ORDINARY",
			"number": "0123456", "holder": "ヤマトシヨウジ（カ"}], "reason": "new account"}`},
	{"set-payees", "refused: not an account number", "/v1/sellers/YAMATO/payees", "Idempotency-Key: payees-2", `{
		"payees": [{"currency": "JPY", "bank": "みどり銀行", "bank_code": "0001", "branch": "本店", "branch_code": "001", "kind": "ORDINARY",
			"number": "123456", "holder": "大和商事"}], "reason": "new account"}`},
	{"set-late-terms", "14.6 % from April on", "/v1/sellers/YAMATO/late-terms", "Idempotency-Key: late-terms-1", `{
		"terms": [{"from": "2026-04-01", "rate": "14.6", "day_count": "ACT_365"}], "reason": "general terms of 2026"}`},
	{"agree-late-terms", "one customer pays less", "/v1/sellers/YAMATO/customers/K101/late-terms", "Idempotency-Key: late-terms-k101", `{
		"terms": [{"from": "2026-04-01", "rate": "5"}], "reason": "frame contract"}`},

	{"send-command", "a command by its name", "/v1/commands/RegisterCustomer", "Idempotency-Key: customer-k102", `{
		"seller": "YAMATO", "customer": "K102", "name": "北浜商店", "terms": {"kind": "NET", "net_days": 30}}`},
	{"send-command", "refused: no such customer", "/v1/commands/RecordPayment", "Idempotency-Key: bank-20270104-9", `{
		"seller": "YAMATO", "customer": "K999", "currency": "JPY", "received_on": "2027-01-04", "amount": {"amount": "1", "currency": "JPY"}}`},
	{"send-commands", "each for itself", "/v1/commands", "Idempotency-Key: batch-1", `{"commands": [
		{"name": "IssueInvoice", "command": {"seller": "YAMATO", "customer": "K102", "currency": "JPY", "invoice": "I-0901",
			"issued_on": "2026-09-01", "total": {"amount": "20000", "currency": "JPY"}}},
		{"name": "RecordPayment", "command": {"seller": "YAMATO", "customer": "K102", "currency": "JPY", "received_on": "2026-09-30",
			"amount": {"amount": "0", "currency": "JPY"}}}]}`},
	{"send-commands", "all on an account, or none", "/v1/commands", "", `{"together": "account", "commands": [
		{"name": "RecordPayment", "idempotency_key": "bank-20260930-1", "command": {"seller": "YAMATO", "customer": "K102",
			"currency": "JPY", "payment": "P-9", "received_on": "2026-09-30", "amount": {"amount": "5000", "currency": "JPY"}}},
		{"name": "WriteOff", "idempotency_key": "write-off-9", "command": {"seller": "YAMATO", "customer": "K102", "currency": "JPY",
			"invoice": "I-0901", "on": "2026-10-01", "amount": {"amount": "90000", "currency": "JPY"}, "reason": "lost", "approver": "鈴木"}}]}`},

	{"list-sellers", "all sellers", "/v1/sellers", "", ""},
	{"get-seller", "one seller", "/v1/sellers/YAMATO", "", ""},
	{"list-customers", "all customers", "/v1/sellers/YAMATO/customers", "", ""},
	{"list-customers", "as they were known before", "/v1/sellers/YAMATO/customers?known_at=3", "Accept: text/csv", ""},
	{"get-customer", "one customer", "/v1/sellers/YAMATO/customers/K101", "", ""},
	{"get-customer", "refused: not yet registered then", "/v1/sellers/YAMATO/customers/K101?known_at=1", "", ""},
	{"list-invoices", "what is open, the first page", "/v1/sellers/YAMATO/invoices?status=overdue&as_of=2026-12-31&sort=-open&limit=2", "", ""},
	{"list-invoices", "as a sheet", "/v1/sellers/YAMATO/invoices?customer=K101&as_of=2026-12-31", "Accept: text/csv", ""},
	{"get-invoice", "an invoice with all that settled it", "/v1/sellers/YAMATO/invoices/I-0630?as_of=2026-12-31", "", ""},
	{"get-invoice", "as it stood in summer", "/v1/sellers/YAMATO/invoices/I-0630?as_of=2026-07-31", "", ""},
	{"get-invoice", "refused: no such invoice", "/v1/sellers/YAMATO/invoices/I-9999", "", ""},
	{"get-account", "an account and its version", "/v1/sellers/YAMATO/customers/K101/accounts/JPY?as_of=2026-12-31", "", ""},
	{"get-aging", "by customer", "/v1/sellers/YAMATO/aging?as_of=2026-12-31", "", ""},
	{"get-aging", "as of a day, as known then", "/v1/sellers/YAMATO/aging?as_of=2026-08-31&known_at=20", "", ""},
	{"get-aging", "as a sheet, other buckets", "/v1/sellers/YAMATO/aging?as_of=2026-12-31&buckets=60,120&group_by=invoice", "Accept: text/csv", ""},
	{"get-aging", "refused: two bad parameters", "/v1/sellers/YAMATO/aging?as_of=2026-02-30&group_by=moon", "", ""},
	{"get-balances", "what each account owes", "/v1/sellers/YAMATO/balances?as_of=2026-12-31", "", ""},
	{"get-unapplied", "what settles nothing yet", "/v1/sellers/YAMATO/unapplied?as_of=2026-12-31", "", ""},
	{"get-receipts", "whose payer is not known", "/v1/sellers/YAMATO/receipts?as_of=2026-08-05", "", ""},
	{"get-statement", "a month of one customer", "/v1/sellers/YAMATO/customers/K101/statement?from=2026-08-01&as_of=2026-08-31", "", ""},
	{"get-statement", "to look at", "/v1/sellers/YAMATO/customers/K101/statement?from=2026-07-01&as_of=2026-12-31", "Accept: text/plain", ""},
	{"get-history", "all that happened", "/v1/sellers/YAMATO/customers/K102/history", "", ""},
	{"get-diff", "what became known after a day was closed", "/v1/sellers/YAMATO/diff?from=14&as_of=2026-12-31&customer=K101", "", ""},

	{"read-events", "two events after a position", "/v1/events?after=10&limit=2", "", ""},
	{"read-events", "payments, for a browser", "/v1/events?kind=account.payment_recorded&limit=1", "Accept: text/event-stream", ""},
}

// officeExamples are about the ledger as such.
var officeExamples = []example{
	{
		"import-receivables", "what would be done", "/v1/sellers/ACME/imports/receivables?currency=USD&dry_run=true", "Content-Type: text/csv",
		"Customer,Invoice,Issued,Due,Amount,Paid On\nC1,A-1,2026-05-01,2026-05-31,120.00,2026-06-02\nC2,A-2,2026-05-04,2026-06-03,80.50,\n",
	},
	{
		"import-receivables", "invoices and their payments", "/v1/sellers/ACME/imports/receivables?currency=USD", "Content-Type: text/csv",
		"Customer,Invoice,Issued,Due,Amount,Paid On\nC1,A-1,2026-05-01,2026-05-31,120.00,2026-06-02\nC2,A-2,2026-05-04,2026-06-03,80.50,\n",
	},
	{
		"import-receivables", "refused: a bad line", "/v1/sellers/ACME/imports/receivables?currency=USD", "Content-Type: text/csv",
		"Customer,Invoice,Issued,Due,Amount\nC1,A-3,2026-05-01,2026-05-31,a lot\n",
	},
	{"list-views", "how far each has come", "/v1/views", "", ""},
	{"make-checkpoint", "what the log is now", "/v1/audit/checkpoint", "", `{}`},
	{"get-checkpoint", "the newest", "/v1/audit/checkpoint", "", ""},
	{"list-checkpoints", "all that were made", "/v1/audit/checkpoints", "", ""},
	{"get-proof", "of the first event", "/v1/audit/proofs/1", "", ""},
	{"get-proof", "refused: no such event", "/v1/audit/proofs/999999", "", ""},
	{"get-consistency", "of the first event with the newest checkpoint", "/v1/audit/consistency?from=1", "", ""},
	{"get-consistency", "refused: the newer one first", "/v1/audit/consistency?from=3&to=2", "", ""},
	{"get-consistency", "refused: beyond the log", "/v1/audit/consistency?from=1&to=999999", "", ""},
	{"list-trail", "who looked at single invoices", "/v1/trail?operation=get-invoice&seller=YAMATO", "", ""},
	{"get-trail-lines", "all of it, to be verified", "/v1/trail/lines", "", ""},
	{"anchor-trail", "how far it goes", "/v1/trail/anchor", "", `{}`},
	{"list-trail-anchors", "that one", "/v1/trail/anchors", "", ""},
	{"get-backup", "all there is in one file", "/v1/backup", "Accept: application/vnd.sqlite3", ""},
	{"compare-views", "with what the log gives", "/v1/views/compare", "", `{}`},
	{"rebuild-views", "fold one again", "/v1/views/rebuild", "", `{"models": ["items"]}`},

	{"create-key", "the first key is an admin's", "/v1/keys", "", `{"holder": "Suzuki", "role": "admin"}`},
	{"create-key", "a key for the nightly job", "/v1/keys", "Authorization: Bearer " + exampleToken, `{"holder": "nightly job", "role": "clerk", "seller": "YAMATO"}`},
	{"list-keys", "who may do what", "/v1/keys", "Authorization: Bearer " + exampleToken, ""},
	{"list-keys", "refused: no key", "/v1/keys", "", ""},
	{"revoke-key", "it is no longer needed", "/v1/keys/" + secondKey + "/revocation", "Authorization: Bearer " + exampleToken, `{"reason": "the job was replaced"}`},
}
