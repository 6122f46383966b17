package arm

import (
	"roletray/pim"
	"roletray/pim/wire"
)

// codes are what Resource Manager's error codes mean.
var codes = wire.With(wire.Codes{
	"linkedauthorizationfailed": pim.CodeForbidden,
	"requestdisallowedbyazure":  pim.CodeForbidden,
	"resourcegroupnotfound":     pim.CodeNotFound,
	"subscriptionnotfound":      pim.CodeNotFound,
	"managementgroupnotfound":   pim.CodeNotFound,
})

// translate turns an error of the client into a *pim.Error.
func translate(err error) error { return codes.Translate(err) }
