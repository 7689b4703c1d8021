<?php

// Verifies deliveries of Leadline. PHP 8.0 or later, nothing to install.

declare(strict_types=1);

const LEADLINE_TOLERANCE_S = 5 * 60;
// Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
const LEADLINE_SECRET = '~\Awhsec_[A-Za-z0-9+/]{32,}={0,2}\z~';

/**
 * The Standard Webhooks way: signs id, time and body, so an old request cannot be sent again.
 *
 * @param string[] $secrets those that the dashboard showed, "whsec_…"; one is the rule
 * @param array<string, string> $headers their values by lower-case name
 * @param string $rawBody the bytes as they came: file_get_contents('php://input')
 */
function is_standard_signature_ours(array $secrets, array $headers, string $rawBody, ?int $nowS = null): bool
{
    $timestamp = $headers['webhook-timestamp'] ?? '';
    if (!preg_match('/\A[0-9]{1,12}\z/', $timestamp)) {
        return false;
    }
    if (abs(($nowS ?? time()) - (int) $timestamp) > LEADLINE_TOLERANCE_S) {
        return false;
    }
    $signed = ($headers['webhook-id'] ?? '') . '.' . $timestamp . '.' . $rawBody;
    $given = explode(' ', $headers['webhook-signature'] ?? '');
    foreach (preg_grep(LEADLINE_SECRET, $secrets) as $secret) {
        $key = base64_decode(substr($secret, strlen('whsec_')));
        $wanted = 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true));
        foreach ($given as $one) {
            // Takes the same time wherever the first difference is.
            if (hash_equals($wanted, $one)) {
                return true;
            }
        }
    }
    return false;
}

/**
 * The plain way: signs the body alone. Keep the ids of deliveries that were handled, since this does not stop an old
 * request from being sent again.
 *
 * @param string[] $secrets
 * @param array<string, string> $headers
 */
function is_plain_signature_ours(array $secrets, array $headers, string $rawBody): bool
{
    $given = $headers['x-leadline-signature'] ?? '';
    foreach (preg_grep(LEADLINE_SECRET, $secrets) as $secret) {
        if (hash_equals('sha256=' . hash_hmac('sha256', $rawBody, $secret), $given)) {
            return true;
        }
    }
    return false;
}
