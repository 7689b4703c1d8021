"""What packages for Meta's API say:   meta.py PACKAGES, a question as JSON on standard input, the answer as JSON.

Meta's own `facebook-business` gives the requests about templates; it has none for messages, for which `pywa` stands.

{"submit": {"account", "token", "template"}} gives the request of Meta's package; {"list": {"account", "token"}} and
{"send": {"number", "token", "to", "tracker", and "text", "template" or "file"}} give pywa's. {"is_signed": {"secret",
"body", "signature"}} gives whether pywa believes a callback, and {"read": [callbacks]} what it reads of each.
"""
import json
import sys
import warnings

sys.path.insert(0, sys.argv[1])
warnings.simplefilter("error", category=UserWarning)
import httpx  # noqa: E402
import requests  # noqa: E402
from facebook_business.adobjects.whatsappbusinessaccount import WhatsAppBusinessAccount  # noqa: E402
from facebook_business.api import FacebookAdsApi  # noqa: E402
from facebook_business.session import FacebookSession  # noqa: E402
from pywa import WhatsApp, utils  # noqa: E402
from pywa.types import Pagination  # noqa: E402
from pywa.types.templates import BodyText, TemplateLanguage  # noqa: E402


# What pywa wants to read of any answer.
COUNTS = ("total_count", "message_template_count", "message_template_limit", "are_translations_complete")
TAKEN = {
    "id": "1",
    "messages": [{"id": "wamid.1"}],
    "contacts": [{"input": "1", "wa_id": "1"}],
    "data": [],
    "summary": dict.fromkeys(COUNTS, 0),
}


class Noting(requests.adapters.BaseAdapter):
    """Takes what would be sent to Meta."""

    noted = None

    def send(self, request, **_options):
        Noting.noted = {"method": request.method, "url": request.url, "fields": request.body}
        answer = requests.Response()
        answer.status_code, answer._content, answer.request = 200, b'{"id": "1", "data": []}', request
        return answer

    def close(self):
        pass


def account(asked):
    session = FacebookSession(access_token=asked["token"])
    session.requests.mount("https://", Noting())
    return WhatsAppBusinessAccount(asked["account"], api=FacebookAdsApi(session))


def submitted(asked):
    account(asked).create_message_template(params=asked["template"])
    return Noting.noted


def client(asked, noted, **more):
    """pywa's, whose requests end in the list `noted`."""

    def take(request):
        noted.append(request)
        return httpx.Response(200, json=TAKEN)

    return WhatsApp(token=asked["token"], session=httpx.Client(transport=httpx.MockTransport(take)), **more)


def listed(asked):
    noted = []
    client(asked, noted, waba_id=asked["account"]).get_templates(pagination=Pagination(limit=200, after="abc"))
    return {"path": noted[-1].url.path, "parameters": dict(noted[-1].url.params)}


def sent(asked):
    noted = []
    number = client(asked, noted, phone_id=asked["number"])
    common = {"to": asked["to"], "tracker": asked["tracker"]}
    if template := asked.get("template"):
        values = [BodyText.params(*template["values"])]
        number.send_template(name=template["name"], language=TemplateLanguage(template["language"]), params=values, **common)
    elif file := asked.get("file"):
        send = {"image": number.send_image, "document": number.send_document}[file["kind"]]
        named = {"filename": file["name"]} if file["kind"] == "document" else {}
        send(**{file["kind"]: file["id"]}, caption=file["caption"], **named, **common)
    else:
        number.send_message(text=asked["text"], **common)
    request = noted[-1]
    return {
        "method": request.method,
        "path": request.url.path,
        "authorization": request.headers["authorization"],
        "body": json.loads(request.content),
    }


def read(callbacks):
    """Per callback the messages and reports in it."""
    number = WhatsApp(phone_id="1", token="1", server=None, validate_updates=False, filter_updates=False)
    found = []

    def write_down(one, **more):
        found.append({"id": one.id, "from": one.from_user.wa_id, **more})

    @number.on_message
    def _(_, one):
        write_down(one, text=one.text)

    @number.on_callback_button
    @number.on_callback_selection
    def _(_, one):
        write_down(one, text=one.title)

    @number.on_message_status
    def _(_, one):
        write_down(one, status=one.status.value, tracker=one.tracker)

    answers = []
    for callback in callbacks:
        found.clear()
        _, status = number.webhook_update_handler(json.dumps(callback).encode())
        assert status == 200, callback
        answers.append(list(found))
    return answers


question = json.load(sys.stdin)
(kind, asked), = question.items()
if kind == "is_signed":
    answer = utils.webhook_updates_validator(asked["secret"], asked["body"].encode(), asked["signature"])
else:
    answer = {"submit": submitted, "list": listed, "send": sent, "read": read}[kind](asked)
print(json.dumps(answer))
