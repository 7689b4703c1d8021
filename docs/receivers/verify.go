// Verifies deliveries of Leadline. The standard library alone.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute

// Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
var secretPattern = regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{32,}={0,2}$`)

// IsStandardSignatureOurs checks the Standard Webhooks way: it signs id, time and body, so an old request cannot be
// sent again. The secrets are those that the dashboard showed, "whsec_…"; one is the rule. The body is the bytes as
// they came.
func IsStandardSignatureOurs(secrets []string, header http.Header, rawBody []byte, now time.Time) bool {
	id, timestamp := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	given := strings.Split(header.Get("Webhook-Signature"), " ")
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || !secretPattern.MatchString(secret) {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(rawBody)
		wanted := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for _, one := range given {
			// Takes the same time wherever the first difference is.
			if hmac.Equal([]byte(one), []byte(wanted)) {
				return true
			}
		}
	}
	return false
}

// IsPlainSignatureOurs checks the plain way: it signs the body alone. Keep the ids of deliveries that were handled,
// since this does not stop an old request from being sent again.
func IsPlainSignatureOurs(secrets []string, header http.Header, rawBody []byte) bool {
	given := header.Get("X-Leadline-Signature")
	for _, secret := range secrets {
		if !secretPattern.MatchString(secret) {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(rawBody)
		if hmac.Equal([]byte(given), []byte("sha256="+hex.EncodeToString(mac.Sum(nil)))) {
			return true
		}
	}
	return false
}
