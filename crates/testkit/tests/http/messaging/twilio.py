"""What Twilio's own package says:   twilio.py PACKAGES, a question as JSON on standard input, the answer as JSON.

{"sign": {"token", "url", "fields"}} gives the signature of a callback; {"send": {"sid", "token", "to", "from", "body",
"callback"}} gives the request that its client would send.
"""
import base64
import json
import sys
from collections import defaultdict

sys.path.insert(0, sys.argv[1])
from twilio.http.http_client import HttpClient  # noqa: E402
from twilio.http.response import Response  # noqa: E402
from twilio.request_validator import RequestValidator  # noqa: E402
from twilio.rest import Client  # noqa: E402


class Noting(HttpClient):
    def __init__(self):
        self.noted = None

    def request(self, method, url, params=None, data=None, headers=None, auth=None, timeout=None, allow_redirects=False):
        signed_in = base64.b64encode(":".join(auth).encode()).decode()
        self.noted = {"method": method, "url": url, "fields": data, "authorization": f"Basic {signed_in}"}
        return Response(201, json.dumps({"sid": "SM1"}))


class Fields(dict):
    """As web frameworks hand them over: a name may come more than once."""

    def getlist(self, name):
        return self[name]


question = json.load(sys.stdin)
if asked := question.get("sign"):
    fields = defaultdict(list)
    for name, value in asked["fields"]:
        fields[name].append(value)
    validator = RequestValidator(asked["token"])
    signature = validator.compute_signature(asked["url"], Fields(fields))
    assert validator.validate(asked["url"], Fields(fields), signature)
    print(json.dumps(signature))
else:
    asked = question["send"]
    noting = Noting()
    client = Client(asked["sid"], asked["token"], http_client=noting)
    client.messages.create(
        to=asked["to"], from_=asked["from"], body=asked["body"], status_callback=asked["callback"],
    )
    print(json.dumps(noting.noted))
