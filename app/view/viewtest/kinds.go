package viewtest

import (
	"reflect"

	"roletray/app/local"
	"roletray/pim"
)

// Kinds are all kinds of role.
var Kinds = []pim.Kind{pim.KindAzure, pim.KindDirectory, pim.KindGroup}

// OfKind is a role as one of a kind, with the same name and a scope of the same name: an
// administrative unit, or for a group the group. A membership stays one, since it may bring roles.
func OfKind(kind pim.Kind, r pim.Role) pim.Role {
	if r.Kind == kind || r.Kind == pim.KindGroup {
		return r
	}
	switch kind {
	case pim.KindDirectory:
		r.Scope.ID, r.Scope.Type = "/administrativeUnits/"+r.Scope.Name, pim.ScopeAdministrativeUnit
	case pim.KindGroup:
		r.Scope.ID, r.Scope.Type = r.DefinitionID+" of "+r.Scope.Name, pim.ScopeGroup
		r.DefinitionID, r.Access = string(pim.AccessMember), pim.AccessMember
	case pim.KindAzure:
		r.Scope.ID, r.Scope.Type = "/subscriptions/"+r.Scope.Name, pim.ScopeSubscription
	}
	r.Kind = kind
	return r
}

// AllOfKind has every role of a state be of one kind, but for memberships. It changes the state.
func AllOfKind(kind pim.Kind, state *local.State) *local.State {
	keys := map[pim.Key]pim.Key{}
	each(reflect.ValueOf(state), func(r pim.Role) pim.Role {
		of := OfKind(kind, r)
		keys[r.Key()], keys[of.Key()] = of.Key(), of.Key()
		return of
	})
	each(reflect.ValueOf(state), func(k pim.Key) pim.Key {
		if of, ok := keys[k]; ok {
			return of
		}
		return k
	})
	return state
}

// each puts another in the place of every T in a value, keys of maps included.
func each[T any](v reflect.Value, other func(T) T) {
	if v.Type() == reflect.TypeFor[T]() && v.CanSet() {
		v.Set(reflect.ValueOf(other(v.Interface().(T))))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), other)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				each(f, other)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), other)
		}
	case reflect.Map:
		changed := reflect.MakeMap(v.Type())
		for of := v.MapRange(); of.Next(); {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			k.Set(of.Key())
			e.Set(of.Value())
			each(k, other)
			each(e, other)
			changed.SetMapIndex(k, e)
		}
		if !v.IsNil() && v.CanSet() {
			v.Set(changed)
		}
	default:
	}
}
