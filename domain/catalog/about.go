package catalog

// about says in one line what a command does to the books.
var about = map[string]string{
	"RegisterSeller":     "take on a seller: the client company whose money is owed",
	"ChangeSeller":       "change a seller's settings",
	"RegisterCustomer":   "take on a customer of a seller",
	"ChangeCustomer":     "change a customer's master data",
	"SetPaymentTerms":    "agree when a customer's invoices are due",
	"SetCreditLimit":     "set how much a customer may owe",
	"DeactivateCustomer": "refuse new invoices to a customer",
	"ReactivateCustomer": "allow invoices to a customer again",
	"IssueInvoice":       "book what a customer owes, by lines or by a plain total",
	"VoidInvoice":        "cancel an invoice on which nothing was settled",
	"ChangeDueDate":      "give an invoice another due date from a day on",
	"IssueCreditNote":    "give credit against an invoice, or free",
	"ApplyCredit":        "settle invoices with unapplied credit",
	"UnapplyCredit":      "take settled amounts back to unapplied credit",
	"RecordPayment":      "book money received: allocated, oldest due first, or unapplied",
	"ApplyPayment":       "settle invoices with unapplied cash",
	"UnapplyPayment":     "take settled amounts back to unapplied cash",
	"ReversePayment":     "undo a payment that bounced; what it settled is open again",
	"IssueRefund":        "pay unapplied cash or credit back",
	"WriteOff":           "give up what is open on an invoice",
	"RecoverWriteOff":    "book money that came in after a write-off",
	"SettleDifference":   "close a bank fee or rounding within the seller's tolerance",
	"OpenDispute":        "record that a customer objects to an invoice",
	"ResolveDispute":     "end a dispute: upheld with a credit note, rejected or withdrawn",
	"AssessLateCharge":   "make a late charge on an overdue invoice a receivable",
	"WaiveLateCharge":    "give up a late charge",
	"CarryForward":       "close the account's stream at a year end and go on in a fresh one",
	"CreateKey":          "give somebody access to the books",
	"RevokeKey":          "take a key's access away, for good",
}

// About says in one line what the command of that name does to the books; "" for an unknown one.
func About(name string) string { return about[name] }
