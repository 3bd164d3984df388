package receivables

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/urikake/urikake/domain"
)

// field is what a column may hold.
type field struct {
	name     string
	required bool
	columns  []string // names it is guessed from, best first, as plain writes them
}

// Names of the fields, for --map FIELD=COLUMN.
const (
	fieldCustomer   = "customer"
	fieldNumber     = "number"
	fieldIssuedOn   = "issued_on"
	fieldDueOn      = "due_on"
	fieldAmount     = "amount"
	fieldPaidOn     = "paid_on"
	fieldPaidAmount = "paid_amount"
	fieldDisputed   = "disputed"
	fieldCountry    = "country"
	fieldName       = "name"
)

// fields in the order in which they are guessed: a column goes to one field only.
var fields = []field{
	{fieldCustomer, true, []string{
		"customerid", "customerno", "customernumber", "customercode", "custid", "custno", "custnumber", "clientid",
		"clientcode", "debtorid", "debtorno", "debtorcode", "accountid", "accountno", "customer", "client", "debtor", "buyer",
		"得意先コード", "得意先cd", "得意先id", "得意先番号", "顧客コード", "顧客cd", "顧客id", "顧客番号", "取引先コード", "取引先cd", "取引先id",
		"取引先番号", "請求先コード", "請求先cd", "得意先", "顧客", "取引先", "請求先", "得意先名", "顧客名", "取引先名", "請求先名", "customername", "clientname",
	}},
	{fieldNumber, true, []string{
		"invoicenumber", "invoiceno", "invoiceid", "invoicenum", "invno", "invoice", "documentnumber", "documentno",
		"docno", "docid", "billnumber", "billno", "number", "請求書番号", "請求書no", "請求番号", "請求no", "請求書id", "伝票番号", "伝票no", "番号",
	}},
	{fieldIssuedOn, true, []string{
		"issuedon", "issuedate", "issued", "dateissued", "invoicedate", "documentdate", "docdate", "billdate", "billingdate",
		"postingdate", "date", "請求日", "請求書日付", "請求年月日", "請求書発行日", "発行日", "伝票日付", "売上日", "計上日", "日付",
	}},
	{fieldDueOn, true, []string{
		"dueon", "duedate", "datedue", "paymentduedate", "paymentdue", "dueindate", "due", "maturitydate",
		"支払期日", "支払期限", "お支払期限", "入金期日", "入金期限", "入金予定日", "回収予定日", "支払予定日", "期日", "期限",
	}},
	{fieldAmount, true, []string{
		"invoiceamount", "amount", "totalamount", "invoicetotal", "grossamount", "total", "grosstotal", "invoicevalue",
		"請求金額税込", "請求金額", "請求額", "税込金額", "税込合計", "合計金額", "金額", "合計", "売掛金額",
	}},
	{fieldPaidAmount, false, []string{
		"paidamount", "amountpaid", "settledamount", "paymentamount", "receivedamount", "amountreceived",
		"入金金額", "入金額", "回収金額", "回収額", "消込額", "消込金額",
	}},
	{fieldPaidOn, false, []string{
		"paidon", "paiddate", "datepaid", "settleddate", "settledon", "settlementdate", "paymentdate", "receivedon",
		"clearingdate", "cleardate", "入金日", "入金年月日", "消込日", "回収日", "決済日", "支払日",
	}},
	{fieldDisputed, false, []string{"disputed", "dispute", "isdisputed", "indispute", "係争", "係争中", "係争フラグ", "異議", "紛争"}},
	{fieldCountry, false, []string{"countrycode", "country", "国コード", "国"}},
	{fieldName, false, []string{
		"customername", "clientname", "companyname", "debtorname", "buyername", "name",
		"得意先名", "得意先名称", "顧客名", "取引先名", "請求先名", "会社名", "名称", "得意先", "顧客", "取引先", "請求先", "customer", "client",
	}},
}

// columns tells for each field in which column it stands.
type columns struct {
	header []string
	at     map[string]int
}

// name is the file's own name of a field's column.
func (c columns) name(field string) string { return c.header[c.at[field]] }

// findColumns follows the mapping and guesses the rest from the header.
// Refuses import.missing_column with every column in question, and input.unknown_value for a field that there is not.
func findColumns(header []string, mapped map[string]string) (columns, error) {
	c := columns{header, make(map[string]int)}
	var faults domain.Faults
	known := make(map[string]bool)
	used := make([]bool, len(header))
	var names []string
	for _, f := range fields {
		known[f.name] = true
		names = append(names, f.name)
		column, given := mapped[f.name]
		if !given || column == "" {
			continue
		}
		i, err := c.find(column)
		if faults.Add("/"+f.name, err); err == nil {
			c.at[f.name], used[i] = i, true
		}
	}
	for name := range mapped {
		faults.Require(known[name], "/"+name, domain.ErrUnknown.With("no field %q; the fields are %s", name, strings.Join(names, ", ")))
	}
	for _, f := range fields {
		if _, given := mapped[f.name]; given {
			continue
		}
		if i, ok := c.guess(f, used); ok {
			c.at[f.name], used[i] = i, true
		}
	}
	for _, f := range fields {
		_, found := c.at[f.name]
		column, given := mapped[f.name]
		faults.Require(found || !f.required || given && column != "", "/"+f.name,
			ErrColumn.With("none is known to hold %s; say --map %s=COLUMN with one of: %s", f.name, f.name, strings.Join(header, ", ")))
	}
	return c, faults.Err()
}

// find gives the column that --map names.
func (c columns) find(name string) (int, error) {
	found := -1
	for _, same := range []func(string) bool{
		func(h string) bool { return h == name },
		func(h string) bool { return plain(h) == plain(name) },
	} {
		for i, h := range c.header {
			switch {
			case !same(h):
			case found >= 0:
				return 0, ErrColumn.With("two columns are called %q", name)
			default:
				found = i
			}
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, ErrColumn.With("no column is called %q; there are: %s", name, strings.Join(c.header, ", "))
}

// guess gives the free column with the field's best name.
func (c columns) guess(f field, used []bool) (int, bool) {
	for _, want := range f.columns {
		for i, h := range c.header {
			if !used[i] && plain(h) == want {
				return i, true
			}
		}
	}
	return 0, false
}

// plain is a column's name without case, width, spaces and signs: "Invoice No." and "invoice_no" are the same.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(name))
}
