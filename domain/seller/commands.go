package seller

// Commands is every order that a client may give about a seller, by name.
var Commands = []Command{RegisterSeller{}, ChangeSeller{}, SetPayees{}, SetLateTerms{}}
