package export_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/domain/dunning"
	"github.com/urikake/urikake/domain/receipt"
	"github.com/urikake/urikake/projections"
)

var update = flag.Bool("update", false, "write what the reports look like into testdata")

// Spreadsheets and programs of users read these columns by name: a change to testdata is a change to what they rely on.
func TestReports(t *testing.T) {
	for name, sheet := range map[string]export.Sheet{
		"aging_customer": export.Aging(agingReport(projections.PerCustomer)),
		"aging_invoice":  export.Aging(agingReport(projections.PerInvoice)),
		"aging_total":    export.Aging(agingReport(projections.PerTotal)),
		"aging_none":     export.Aging(projections.AgingReport{GroupBy: projections.PerCustomer, Columns: []string{"current", "1-15", "16+"}}),
		"balances":       export.Balances(balances),
		"invoices":       export.Invoices(invoices),
		"statement":      export.Statement(statement),
		"unapplied":      export.Unapplied(unapplied),
		"receipts":       export.Receipts(receipts),
		"history":        export.History(history),
		"account":        export.Account(one),
		"invoice":        export.Invoice(invoice),
	} {
		for _, format := range []export.Format{export.Table, export.CSV, export.JSON, export.NDJSON} {
			t.Run(name+"."+string(format), func(t *testing.T) {
				golden(t, filepath.Join("testdata", name+"."+string(format)+".golden"), write(t, sheet, format))
			})
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant (-update if it should be so)\n%s", path, got, want)
	}
}

func yen(n int64) domain.Money { return domain.NewMoney(n, "JPY") }
func usd(n int64) domain.Money { return domain.NewMoney(n, "USD") }

func day(month time.Month, day int) domain.Date { return domain.NewDate(2026, month, day) }

// agingReport has two customers, two currencies, a name that a spreadsheet would run, and unapplied cash.
func agingReport(by projections.Grouping) projections.AgingReport {
	rows := []projections.AgingRow{
		{
			Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Document: "I1", Class: projections.Invoice, Number: "INV-2026-000001",
			IssuedOn: day(1, 31), DueOn: day(2, 28), DaysOverdue: 31, Buckets: []domain.Money{yen(0), yen(0), yen(1_234_567), yen(0), yen(0)},
			Unapplied: yen(0), Total: yen(1_234_567), Disputed: yen(567), OldestDueOn: day(2, 28),
		},
		{
			Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Document: "P1", Class: projections.Payment, IssuedOn: day(3, 1),
			Buckets: []domain.Money{yen(0), yen(0), yen(0), yen(0), yen(0)}, Unapplied: yen(5_000), Total: yen(-5_000), Disputed: yen(0),
		},
		{
			Customer: "C2", Name: `=HYPERLINK("x"), "Inc."`, Currency: "USD", Document: "I2", Class: projections.Invoice, Number: "-7",
			IssuedOn: day(3, 1), DueOn: day(3, 31), Buckets: []domain.Money{usd(10_05), usd(0), usd(0), usd(0), usd(0)},
			Unapplied: usd(0), Total: usd(10_05), Disputed: usd(0), OldestDueOn: day(3, 31),
		},
	}
	report := projections.AgingReport{GroupBy: by, Columns: []string{"current", "1-30", "31-60", "61-90", "91+"}, Rows: rows}
	if by == projections.PerInvoice {
		return report
	}
	rows[0].Unapplied, rows[0].Total = rows[1].Unapplied, yen(1_229_567)
	report.Rows = []projections.AgingRow{rows[0], rows[2]}
	return report
}

var balances = projections.BalancesReport{Rows: []projections.BalanceRow{
	{
		Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Open: yen(1_234_567), Unapplied: yen(5_000), Balance: yen(1_229_567),
		Overdue: yen(1_234_567), Disputed: yen(567), OldestDueOn: day(2, 28),
	},
	{Customer: "C2", Name: "Cedar Row", Currency: "USD", Open: usd(0), Unapplied: usd(12_50), Balance: usd(-12_50), Overdue: usd(0), Disputed: usd(0)},
}}

var one = projections.AccountReport{
	BalanceRow: balances.Rows[0], Standing: projections.Standing{Version: 17, Period: "2026"},
}

var invoice = projections.InvoiceReport{InvoiceRow: invoices.Rows[0], Settlements: []projections.Settlement{
	{
		On: day(3, 1), Position: 12, Kind: account.PaymentRecorded{}.Kind(), Class: projections.Payment, Document: "P1",
		Amount: yen(-65_433), Open: yen(1_234_567),
	},
	{On: day(3, 31), Position: 15, Kind: account.InvoiceVoided{}.Kind(), Class: projections.Voided, Amount: yen(-1_234_567), Open: yen(0)},
}}

var invoices = projections.InvoicesReport{Rows: []projections.InvoiceRow{
	{
		Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Invoice: "I1", Number: "INV-2026-000001", Class: projections.Invoice, Reference: "PO 17",
		IssuedOn: day(1, 31), DueOn: day(2, 28), DaysOverdue: 31, Total: yen(1_300_000), Open: yen(1_234_567), Disputed: yen(567), Status: projections.StatusDisputed,
	},
	{
		Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Invoice: "LC1", Class: projections.LateCharge, Reference: "I1",
		IssuedOn: day(3, 31), DueOn: day(4, 30), Total: yen(300), Open: yen(0), Disputed: yen(0), Status: projections.StatusPaid,
	},
}}

var statement = projections.StatementReport{From: day(2, 1), To: day(3, 31), Accounts: []projections.Statement{
	{Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Opening: yen(100_000), Closing: yen(-20_000), Lines: []projections.StatementLine{
		{
			On: day(2, 28), Position: 7, Kind: "account.invoice_issued", Class: projections.Invoice, Document: "I1", Number: "INV-2026-000001",
			Reference: "PO 17", Amount: yen(30_000), Balance: yen(130_000),
		},
		{On: day(3, 1), Position: 12, Kind: "account.payment_recorded", Class: projections.Payment, Document: "P1", Amount: yen(-150_000), Balance: yen(-20_000)},
	}},
	{Customer: "C1", Name: "青空商事㈱", Currency: "USD", Opening: usd(0), Closing: usd(0)},
}}

var unapplied = projections.UnappliedReport{Rows: []projections.UnappliedRow{
	{
		Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Class: projections.Payment, Document: "P1", Reference: "20260301-17", On: day(3, 1),
		Age: 30, Total: yen(150_000), Unapplied: yen(20_000),
	},
	{
		Customer: "C2", Name: "Cedar Row", Currency: "USD", Class: projections.CreditNote, Document: "N1", Number: "CN-2026-000001", Reference: "I2",
		On: day(3, 31), Total: usd(12_50), Unapplied: usd(12_50),
	},
}}

var receipts = projections.ReceiptsReport{Rows: []projections.ReceiptRow{
	{
		Receipt: receipt.Receipt{
			Key: receipt.Key{Seller: "S", Receipt: "R1", ReceivedOn: day(3, 1)}, Amount: yen(109_340), Payer: "=ｶ)ｱｵｿﾞﾗ", Reference: "INV-2026-000001", Account: "0001-001-0123456",
		},
		Age: 30, Candidates: []projections.Candidate{{Customer: "C1", By: receipt.ByPayer}, {Customer: "C2", By: receipt.ByAmount}},
	},
	{Receipt: receipt.Receipt{Key: receipt.Key{Seller: "S", Receipt: "R2", ReceivedOn: day(3, 31)}, Amount: usd(12_50), Payer: "Cedar Row"}},
}}

var history = []projections.Entry{
	{
		Position: 7, At: time.Date(2026, 3, 2, 9, 30, 0, 0, time.FixedZone("JST", 9*3600)), On: day(2, 28), Stream: "account-S.C1.JPY",
		Kind: account.InvoiceIssued{}.Kind(), Actor: "kondo", Text: "invoice I1 issued: 30000 JPY", Books: true, Effect: yen(30_000), Balance: yen(130_000),
	},
	{
		Position: 12, At: time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC), On: day(3, 1), Stream: "account-S.C1.JPY",
		Kind: account.PaymentRecorded{}.Kind(), Actor: "", Text: "payment P1 received:\n150000 JPY", Books: true, Effect: yen(-150_000), Balance: yen(-20_000),
	},
	{
		Position: 13, At: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC), On: day(3, 2), Stream: "dunning-S.C1.JPY",
		Kind: dunning.Held{}.Kind(), Actor: "mizuno", Text: "hold CREDITOR_HOLD until 2026-03-31; wait", Effect: yen(0), Balance: yen(-20_000),
	},
}
