package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// signingKey signs every token of one run. It lives in memory only, so tokens
// of an earlier run are refused.
type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

func newSigningKey() (*signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(key.N.Bytes())
	return &signingKey{id: base64.RawURLEncoding.EncodeToString(sum[:20]), private: key}, nil
}

func (k *signingKey) sign(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = k.id
	return token.SignedString(k.private)
}

func (k *signingKey) jwk(issuer string) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.id, "issuer": issuer,
		"n": b64(k.private.N.Bytes()),
		"e": b64(big.NewInt(int64(k.private.E)).Bytes()),
	}
}
