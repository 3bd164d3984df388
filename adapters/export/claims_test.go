package export_test

import (
	"path/filepath"
	"testing"

	"github.com/urikake/urikake/adapters/export"
	"github.com/urikake/urikake/domain"
	"github.com/urikake/urikake/domain/account"
	"github.com/urikake/urikake/projections"
)

// What creditors and their lawyers read.
func TestClaimSheets(t *testing.T) {
	for name, sheet := range map[string]export.Sheet{
		"limitations": export.Limitations([]projections.LimitationRow{
			{Customer: "C2", Name: "Cedar Row", Currency: "USD", Invoice: "I9", Number: "9", DueOn: domain.NewDate(2020, 3, 31), Open: usd(10_05), Status: projections.LimitationOldLaw},
			{
				Customer: "C1", Name: "青空商事㈱", Currency: "JPY", Invoice: "I1", Number: "INV-1", DueOn: day(2, 28), Open: yen(1_234_567),
				LimitationOn: domain.NewDate(2031, 2, 28), Status: domain.LimitationIn12,
			},
		}),
		"late_charges": export.LateCharges([]account.Accrual{
			{Invoice: "I1", Number: "INV-1", DueOn: day(2, 28), Open: yen(1_234_567), Days: 31, Rule: domain.LateRule{Rate: 14_60, Agreed: 18_25, DayCount: domain.Act365, Source: domain.LateOfCustomer, CappedBy: domain.CapConsumer}, AssessedTo: day(3, 10), Accrued: yen(10_370)},
			{Invoice: "I2", Number: "INV-2", DueOn: day(3, 10), Open: yen(1_000), Days: 21, Rule: domain.LateRule{Rate: 14_60, Agreed: 14_60, DayCount: domain.Act365, Source: domain.LateOfSeller}, Accrued: yen(8)},
			{Invoice: "I9", Number: "9", DueOn: day(2, 28), Open: usd(10_05), Days: 31, Rule: domain.LateRule{Rate: 3_00, DayCount: domain.CalendarYear, Source: domain.LateByLaw}, Accrued: usd(2)},
		}),
	} {
		for _, format := range []export.Format{export.Table, export.CSV, export.JSON, export.NDJSON} {
			t.Run(name+"."+string(format), func(t *testing.T) {
				golden(t, filepath.Join("testdata", name+"."+string(format)+".golden"), write(t, sheet, format))
			})
		}
	}
}
