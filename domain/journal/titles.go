package journal

// Title is an account title (勘定科目) by its code.
type Title string

// The titles that a receivables ledger posts to.
const (
	Receivable   Title = "accounts_receivable"
	Bank         Title = "ordinary_deposit"
	Advances     Title = "advances_received" // unapplied payments and credit notes
	Suspense     Title = "suspense_receipts" // whose payer is not known
	OutputTax    Title = "output_consumption_tax"
	Sales        Title = "sales"
	SalesReturns Title = "sales_returns_and_allowances"
	BadDebtLoss  Title = "bad_debt_loss"
	Recovery     Title = "recovery_of_written_off_claims"
	MiscIncome   Title = "miscellaneous_income"
	MiscLoss     Title = "miscellaneous_loss"
)

// Class is the side of the balance sheet or of the profit and loss account on which a title stands.
type Class string

const (
	Asset         Class = "asset"
	Liability     Class = "liability"
	Revenue       Class = "revenue"
	ContraRevenue Class = "contra revenue"
	Income        Class = "income"
	Expense       Class = "expense"
)

// TitleInfo is a title as people read it.
type TitleInfo struct {
	Title    Title
	Japanese string
	English  string
	Class    Class
}

// Titles are all titles, in the order of a chart of accounts.
var Titles = []TitleInfo{
	{Bank, "普通預金", "Ordinary deposit", Asset},
	{Receivable, "売掛金", "Accounts receivable", Asset},
	{Advances, "前受金", "Advances received", Liability},
	{Suspense, "仮受金", "Suspense receipts", Liability},
	{OutputTax, "仮受消費税等", "Output consumption tax", Liability},
	{Sales, "売上高", "Sales", Revenue},
	{SalesReturns, "売上値引・返品", "Sales returns and allowances", ContraRevenue},
	{Recovery, "償却債権取立益", "Recovery of written-off claims", Income},
	{MiscIncome, "雑収入", "Miscellaneous income", Income},
	{BadDebtLoss, "貸倒損失", "Bad-debt loss", Expense},
	{MiscLoss, "雑損失", "Miscellaneous loss", Expense},
}
