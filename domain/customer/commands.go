package customer

// Commands is every order that a client may give about a customer, by name.
var Commands = []Command{
	RegisterCustomer{},
	ChangeCustomer{},
	SetPaymentTerms{},
	SetCreditLimit{},
	AgreeLateTerms{},
	DeactivateCustomer{},
	ReactivateCustomer{},
	EraseCustomer{},
}
