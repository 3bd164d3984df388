package account

import "github.com/urikake/urikake/domain"

// Ids are unique through an account's whole life, so after a carry forward the closed streams are asked too.

func (s *State) knows(id domain.InvoiceID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.items.has(id) })
}

func (s *State) knowsPayment(id domain.PaymentID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.payments.has(id) })
}

func (s *State) knowsCredit(id domain.CreditID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.credits.has(id) })
}

func (s *State) knowsRefund(id domain.RefundID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.refunds[id] })
}

func (s *State) knowsWriteOff(id domain.WriteOffID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.writeOffs[id] != nil })
}

func (s *State) knowsRecovery(id domain.RecoveryID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.recovered[id] })
}

func (s *State) knowsDispute(id domain.DisputeID, earlier []*State) bool {
	return anywhere(s, earlier, func(s *State) bool { return s.disputes[id] != nil })
}

func anywhere(s *State, earlier []*State, has func(*State) bool) bool {
	if has(s) {
		return true
	}
	for _, e := range earlier {
		if has(e) {
			return true
		}
	}
	return false
}
