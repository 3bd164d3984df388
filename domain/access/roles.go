package access

import (
	"slices"

	"github.com/urikake/urikake/domain"
)

// Role is what the holder of a key does for a living, and so what the key allows.
type Role string

const (
	Auditor    Role = "auditor"    // reads everything, also who holds which key, and writes nothing
	Accountant Role = "accountant" // answers for the books: every command about money
	Clerk      Role = "clerk"      // the day's work; what is owed becomes less by money received only
	Admin      Role = "admin"      // everything
)

// Roles are all of them.
var Roles = []Role{Auditor, Accountant, Clerk, Admin}

// Check refuses an unknown role.
func (r Role) Check() error {
	if !slices.Contains(Roles, r) {
		return domain.ErrUnknown.With("a role is auditor, accountant, clerk or admin")
	}
	return nil
}

// Permission is a kind of thing that may be done.
type Permission string

const (
	ReadReports Permission = "reports:read" // aging, open items, balances, statements, ...
	ReadHistory Permission = "history:read" // an account, event by event
	ReadEvents  Permission = "events:read"  // the log as it is
	ReadKeys    Permission = "keys:read"    // who may do what
	ReadMetrics Permission = "metrics:read" // how the machine is
	ReadAudit   Permission = "audit:read"   // checkpoints and proofs, of the whole log
	TakeBackup  Permission = "backup:take"  // carry all there is away in one file: the log, letters, who read what

	WriteSellers     Permission = "sellers:write"     // register, change
	WriteCustomers   Permission = "customers:write"   // register, change, terms, deactivate, reactivate
	EraseCustomers   Permission = "customers:erase"   // forget who a customer was: the creditor's
	WriteLimits      Permission = "limits:write"      // how much may be owed
	WriteInvoices    Permission = "invoices:write"    // issue, due dates
	VoidInvoices     Permission = "invoices:void"     // cancel
	WritePayments    Permission = "payments:write"    // record, apply, unapply, reverse
	WriteCredits     Permission = "credits:write"     // issue credit notes
	ApplyCredits     Permission = "credits:apply"     // apply and unapply what was credited
	WriteRefunds     Permission = "refunds:write"     // pay back
	WriteWriteOffs   Permission = "writeoffs:write"   // write off, recover, settle differences, waive late charges
	WriteDisputes    Permission = "disputes:write"    // open, resolve
	WriteLateCharges Permission = "latecharges:write" // assess
	WritePeriods     Permission = "periods:write"     // carry forward
	WriteDunning     Permission = "dunning:write"     // remind, hold, note promises and contacts: what an agency may do
	ActAsCreditor    Permission = "dunning:creditor"  // dun in the creditor's name: policies, plans, demands, handing over
	WriteImports     Permission = "imports:write"     // take books over from elsewhere
	ManageViews      Permission = "views:manage"      // fold the read models again
	ManageKeys       Permission = "keys:manage"       // create, revoke
)

// Permissions are all of them.
var Permissions = []Permission{
	ReadReports, ReadHistory, ReadEvents, ReadKeys, ReadMetrics, ReadAudit, TakeBackup,
	WriteSellers, WriteCustomers, EraseCustomers, WriteLimits, WriteInvoices, VoidInvoices, WritePayments, WriteCredits, ApplyCredits,
	WriteRefunds, WriteWriteOffs, WriteDisputes, WriteLateCharges, WritePeriods, WriteDunning, ActAsCreditor,
	WriteImports, ManageViews, ManageKeys,
}

// grants is who may do what. A key that is bound to a seller may do it to that seller's books only.
var grants = map[Role][]Permission{
	Auditor: {ReadReports, ReadHistory, ReadEvents, ReadKeys, ReadMetrics, ReadAudit},
	Accountant: {
		ReadReports, ReadHistory, ReadEvents,
		WriteCustomers, EraseCustomers, WriteLimits, WriteInvoices, VoidInvoices, WritePayments, WriteCredits, ApplyCredits,
		WriteRefunds, WriteWriteOffs, WriteDisputes, WriteLateCharges, WritePeriods, WriteDunning, ActAsCreditor, WriteImports,
	},
	Clerk: {
		ReadReports, ReadHistory, ReadEvents,
		WriteCustomers,
		WriteInvoices, // with due dates: more time is no less money; but not voids, each as good as a credit note
		WritePayments, // with reversals: a transfer that bounced makes a customer owe more again, never less
		ApplyCredits,  // credit that an accountant gave, to the invoices that it is for
		WriteDisputes, // an upheld one issues a credit note and needs WriteCredits besides: see catalog.Needs
		WriteDunning,  // as an agency may: what binds the creditor needs ActAsCreditor besides
		// No late charges: to assess one or not is a decision about money. No imports: they hold opening balances.
	},
	Admin: Permissions,
}

// May tells whether a role allows something. An unknown role allows nothing.
func (r Role) May(p Permission) bool { return slices.Contains(grants[r], p) }

// Writes tells whether a role may give any command at all.
func (r Role) Writes() bool {
	for _, p := range needed {
		if r.May(p) {
			return true
		}
	}
	return false
}

// PermissionOf is what it takes to give the command of that name, "" for an unknown one, which no role may. Some
// commands need another permission for what they say: see catalog.Needs.
func PermissionOf(command string) Permission { return needed[command] }

var needed = map[string]Permission{
	"RegisterSeller": WriteSellers,
	"ChangeSeller":   WriteSellers,
	"SetPayees":      WriteSellers, // where money goes
	"SetLateTerms":   WriteSellers,

	"RegisterCustomer":   WriteCustomers,
	"ChangeCustomer":     WriteCustomers,
	"SetPaymentTerms":    WriteCustomers,
	"DeactivateCustomer": WriteCustomers,
	"ReactivateCustomer": WriteCustomers,
	"EraseCustomer":      EraseCustomers, // a decision of whoever owes it to the customer and to the tax office
	"SetCreditLimit":     WriteLimits,
	"AgreeLateTerms":     WriteLateCharges, // what a customer's delay costs is a decision about money

	"IssueInvoice":  WriteInvoices,
	"ChangeDueDate": WriteInvoices,
	"VoidInvoice":   VoidInvoices,

	"RecordPayment":  WritePayments,
	"ApplyPayment":   WritePayments,
	"UnapplyPayment": WritePayments,
	"ReversePayment": WritePayments,
	"RecordReceipt":  WritePayments,
	"AssignReceipt":  WritePayments,
	"ReturnReceipt":  WriteRefunds, // money goes out
	"BookReceipt":    WritePayments,
	"ReleaseReceipt": WritePayments,

	"IssueCreditNote": WriteCredits,
	"ApplyCredit":     ApplyCredits,
	"UnapplyCredit":   ApplyCredits,
	"IssueRefund":     WriteRefunds,

	"WriteOff":         WriteWriteOffs,
	"RecoverWriteOff":  WriteWriteOffs,
	"SettleDifference": WriteWriteOffs,
	"WaiveLateCharge":  WriteWriteOffs,

	"OpenDispute":      WriteDisputes,
	"ResolveDispute":   WriteDisputes,
	"AssessLateCharge": WriteLateCharges,
	"CarryForward":     WritePeriods,

	"SetDunningPolicy":    ActAsCreditor, // with what an agency may send by itself
	"AssignDunningPolicy": ActAsCreditor,
	"RecordBankData":      WritePayments, // whoever brings the payments in says how far
	"AgreePaymentPlan":    ActAsCreditor,
	"HandOver":            ActAsCreditor,
	"ResumeCase":          ActAsCreditor,
	"EscalateReminder":    WriteDunning,
	"DispatchReminder":    WriteDunning,
	"SendReminder":        WriteDunning,
	"DropReminder":        WriteDunning,
	"HoldDunning":         WriteDunning,
	"ReleaseHold":         WriteDunning,
	"RecordPromise":       WriteDunning,
	"SettlePromise":       WriteDunning,
	"MissInstalment":      WriteDunning,
	"AcceleratePlan":      WriteDunning,
	"CompletePlan":        WriteDunning,
	"RecordContact":       WriteDunning,
	"AssignCollector":     WriteDunning,
	"ReturnToCreditor":    WriteDunning,
	"CloseCase":           WriteDunning,
	"BeginRun":            WriteDunning,
	"RecordDecisions":     WriteDunning,
	"EndRun":              WriteDunning,

	"CreateKey": ManageKeys,
	"RevokeKey": ManageKeys,
}
