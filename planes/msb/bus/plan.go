package bus

import "intercom/core/identity"

// plan tells what a transaction would do: a code, and if it is OK the change. It
// reads only. Its conditions may come to hold or cease while a transaction
// waits; one that fails here has paid its fee all the same, or anybody could fill
// blocks for nothing.
func (l *ledger) plan(requester identity.PublicKey, id ID, body Body) (Result, func()) {
	switch b := body.(type) {
	case Transfer:
		return l.planTransfer(requester, b)
	case Contract:
		if _, ok := l.deployment(b.Subnet); !ok {
			return refuse(ExternalBootstrapNotDeployed, "External bootstrap with hash %s is not registered as deployment entry.", b.Subnet), nil
		}
		return Result{}, func() {}
	case Deployment:
		if r, ok := l.deployment(b.Subnet); ok {
			return refuse(BootstrapAlreadyExists, "External bootstrap %s is already registered, by transaction %s.", b.Subnet, r.Tx), nil
		}
		return Result{}, func() { l.registered[b.Subnet] = Registration{id, requester, b.Channel} }
	case AddValidator:
		return l.planAdd(requester, b)
	case RemoveValidator:
		return l.planRemove(requester)
	case Whitelist:
		return l.planWhitelist(requester, b)
	case Ban:
		return l.planBan(requester, b)
	default: // no other body can be made outside this package, and none inside is left out
		return refuse(OperationTypeUnknown, "Operation type %d is unknown.", body.kind()), nil
	}
}

func (l *ledger) planTransfer(requester identity.PublicKey, b Transfer) (Result, func()) {
	if b.To == requester {
		return Result{}, func() {}
	}
	needed, ok := b.Amount.Add(Fee)
	if !ok {
		return refuse(TransferAmountTooLarge, "Transfer amount %s and fee exceed the maximum.", b.Amount), nil
	}
	if balance := l.account(requester).Balance; balance.Cmp(needed) < 0 {
		return short(TransferInsufficientBalance, "transfer", needed, balance), nil
	}
	if _, ok := l.account(b.To).Balance.Add(b.Amount); !ok {
		return refuse(TransferRecipientOverflow, "The recipient's balance would exceed the maximum."), nil
	}
	return Result{}, func() {
		l.take(requester, b.Amount)
		l.give(b.To, b.Amount)
	}
}

func (l *ledger) planAdd(requester identity.PublicKey, b AddValidator) (Result, func()) {
	account := l.account(requester)
	needed, _ := Stake.Add(Fee)
	switch {
	case account.Role == Validator:
		return refuse(RoleNodeAlreadyWriter, "%s is a validator already.", requester.Address()), nil
	case account.Role != Whitelisted:
		return refuse(RoleNodeNotWhitelisted, "%s is not whitelisted; the admin does that.", requester.Address()), nil
	case l.taken(b.Key):
		return refuse(RoleInvalidWriterKey, "Validator key %s has a seat already.", b.Key), nil
	case len(l.seats) >= MaxValidators:
		return refuse(RoleTooManyValidators, "All %d seats are taken.", MaxValidators), nil
	case account.Balance.Cmp(needed) < 0:
		return short(RoleInsufficientFeeBalance, "stake", needed, account.Balance), nil
	}
	return Result{}, func() {
		l.take(requester, Stake)
		h := l.change(requester)
		h.Stake, h.ValidatorKey, h.Role = Stake, b.Key, Validator
		l.sit(Seat{Key: b.Key, Operator: requester})
	}
}

func (l *ledger) planRemove(requester identity.PublicKey) (Result, func()) {
	switch {
	case l.account(requester).Role != Validator:
		return refuse(RoleNodeNotWriter, "%s is not a validator.", requester.Address()), nil
	case len(l.seats) <= 1:
		return refuse(RoleLastValidator, "The last validator cannot leave: the network would end."), nil
	}
	return Result{}, func() { l.unseat(requester, Whitelisted) }
}

// adminOnly refuses everybody but the admin.
func (l *ledger) adminOnly(requester identity.PublicKey) Result {
	switch {
	case l.admin.IsZero():
		return refuse(RoleAdminEntryMissing, "This network has no admin.")
	case l.admin != requester:
		return refuse(RoleNotAdmin, "%s is not the admin.", requester.Address())
	}
	return Result{}
}

func (l *ledger) planWhitelist(requester identity.PublicKey, b Whitelist) (Result, func()) {
	if refused := l.adminOnly(requester); refused.Code != OK {
		return refused, nil
	}
	if l.account(b.Account).Role != Reader {
		return refuse(RoleAlreadyWhitelisted, "%s is whitelisted already.", b.Account.Address()), nil
	}
	return Result{}, func() {
		l.change(b.Account).Role = Whitelisted
		l.license(b.Account)
	}
}

func (l *ledger) planBan(requester identity.PublicKey, b Ban) (Result, func()) {
	if refused := l.adminOnly(requester); refused.Code != OK {
		return refused, nil
	}
	account := l.account(b.Account)
	switch {
	case !account.exists:
		return refuse(RoleNodeEntryNotFound, "%s has no account.", b.Account.Address()), nil
	case account.Role == Reader:
		return refuse(RoleNodeNotWhitelisted, "%s has no role to lose.", b.Account.Address()), nil
	case account.Role == Validator && len(l.seats) <= 1:
		return refuse(RoleLastValidator, "The last validator cannot be banned: the network would end."), nil
	}
	return Result{}, func() {
		if account.Role == Validator {
			l.unseat(b.Account, Reader)
		} else {
			l.change(b.Account).Role = Reader
		}
	}
}

func short(code Code, what string, needed, has Amount) Result {
	return refuse(code, "Insufficient balance for the %s: %s TNK needed with the fee, %s TNK available.", what, needed, has)
}
