"""Verifies deliveries of Leadline. Python 3.9 or later, nothing to install."""

import base64
import hashlib
import hmac
import re
import time

TOLERANCE_S = 5 * 60
# Anybody can sign with an empty secret, which is what a forgotten variable makes of it.
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")


def is_standard_signature_ours(secrets, headers, raw_body, now_s=None):
    """The Standard Webhooks way: signs id, time and body, so an old request cannot be sent again.

    secrets: those that the dashboard showed, "whsec_…"; one is the rule
    headers: their values by lower-case name
    raw_body: the bytes as they came
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    now_s = time.time() if now_s is None else now_s
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    given = headers.get("webhook-signature", "").split(" ")
    signed = f"{message_id}.{timestamp}.".encode() + raw_body
    for secret in filter(SECRET.fullmatch, secrets):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        # Takes the same time wherever the first difference is.
        if any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given):
            return True
    return False


def is_plain_signature_ours(secrets, headers, raw_body):
    """The plain way: signs the body alone. Keep the ids of deliveries that were handled, since this does not stop an
    old request from being sent again.
    """
    given = headers.get("x-leadline-signature", "")
    for secret in filter(SECRET.fullmatch, secrets):
        wanted = "sha256=" + hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(given.encode(), wanted.encode()):
            return True
    return False
