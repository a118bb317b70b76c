package bus

import "fmt"

// A Code says what became of a transaction. Numbers and names are upstream's
// (upstream 2.13) where the case is the same; those from 100 on are ours. Success
// is 0, as the engine wants it, and not upstream's 1.
type Code uint32

// The codes.
const (
	OK                           Code = 0
	NodeOverloaded               Code = 9
	TxAlreadyPending             Code = 10
	OperationTypeUnknown         Code = 11
	SchemaValidationFailed       Code = 12
	TxSignatureInvalid           Code = 16
	TxExpired                    Code = 17
	TxAlreadyExists              Code = 18
	RequesterNotFound            Code = 20
	InsufficientFeeBalance       Code = 21
	RoleNodeEntryNotFound        Code = 24
	RoleNodeAlreadyWriter        Code = 25
	RoleNodeNotWhitelisted       Code = 26
	RoleNodeNotWriter            Code = 27
	RoleAdminEntryMissing        Code = 29
	RoleInvalidWriterKey         Code = 32
	RoleInsufficientFeeBalance   Code = 33
	MSBBootstrapMismatch         Code = 34
	ExternalBootstrapNotDeployed Code = 35
	BootstrapAlreadyExists       Code = 38
	TransferAmountTooLarge       Code = 41
	TransferSenderNotFound       Code = 42
	TransferInsufficientBalance  Code = 43
	TransferRecipientOverflow    Code = 44
	TxInvalidPayload             Code = 61

	TxExpiryTooFar         Code = 100
	RoleNotAdmin           Code = 101
	RoleLastValidator      Code = 102
	RoleTooManyValidators  Code = 103
	ControlProofInvalid    Code = 104
	RoleAlreadyWhitelisted Code = 105
)

var codeNames = map[Code]string{
	OK:                           "OK",
	NodeOverloaded:               "NODE_OVERLOADED",
	TxAlreadyPending:             "TX_ALREADY_PENDING",
	OperationTypeUnknown:         "OPERATION_TYPE_UNKNOWN",
	SchemaValidationFailed:       "SCHEMA_VALIDATION_FAILED",
	TxSignatureInvalid:           "TX_SIGNATURE_INVALID",
	TxExpired:                    "TX_EXPIRED",
	TxAlreadyExists:              "TX_ALREADY_EXISTS",
	RequesterNotFound:            "REQUESTER_NOT_FOUND",
	InsufficientFeeBalance:       "INSUFFICIENT_FEE_BALANCE",
	RoleNodeEntryNotFound:        "ROLE_NODE_ENTRY_NOT_FOUND",
	RoleNodeAlreadyWriter:        "ROLE_NODE_ALREADY_WRITER",
	RoleNodeNotWhitelisted:       "ROLE_NODE_NOT_WHITELISTED",
	RoleNodeNotWriter:            "ROLE_NODE_NOT_WRITER",
	RoleAdminEntryMissing:        "ROLE_ADMIN_ENTRY_MISSING",
	RoleInvalidWriterKey:         "ROLE_INVALID_WRITER_KEY",
	RoleInsufficientFeeBalance:   "ROLE_INSUFFICIENT_FEE_BALANCE",
	MSBBootstrapMismatch:         "MSB_BOOTSTRAP_MISMATCH",
	ExternalBootstrapNotDeployed: "EXTERNAL_BOOTSTRAP_NOT_DEPLOYED",
	BootstrapAlreadyExists:       "BOOTSTRAP_ALREADY_EXISTS",
	TransferAmountTooLarge:       "TRANSFER_AMOUNT_TOO_LARGE",
	TransferSenderNotFound:       "TRANSFER_SENDER_NOT_FOUND",
	TransferInsufficientBalance:  "TRANSFER_INSUFFICIENT_BALANCE",
	TransferRecipientOverflow:    "TRANSFER_RECIPIENT_BALANCE_OVERFLOW",
	TxInvalidPayload:             "TX_INVALID_PAYLOAD",
	TxExpiryTooFar:               "TX_EXPIRY_TOO_FAR",
	RoleNotAdmin:                 "ROLE_NOT_ADMIN",
	RoleLastValidator:            "ROLE_LAST_VALIDATOR",
	RoleTooManyValidators:        "ROLE_TOO_MANY_VALIDATORS",
	ControlProofInvalid:          "CONTROL_PROOF_INVALID",
	RoleAlreadyWhitelisted:       "ROLE_ALREADY_WHITELISTED",
}

// String is the code's name.
func (c Code) String() string {
	if name, known := codeNames[c]; known {
		return name
	}
	return fmt.Sprintf("CODE_%d", uint32(c))
}

// A Result is what became of one transaction. Code and Settled are the same on
// every machine; Text is for people.
type Result struct {
	ID      ID // zero if the bytes are no transaction
	Code    Code
	Text    string
	Settled bool // it stands in the state and has paid its fee, whatever the code
}

func refuse(code Code, format string, args ...any) Result {
	return Result{Code: code, Text: fmt.Sprintf(format, args...)}
}
