#!/usr/bin/env python3
"""Judges what the scripted receiver wrote down:   receipts.py [--path PREFIX] LOG…

Every request must carry both signatures, each of them good; over the tries of one delivery neither its body nor its id
may change, but for those from the spool, which come before there is a lead and tell no id of it; a delivery that was answered 2xx must not come again, but for --repeats of them. Instead of that:
--standard SECRET checks with the standardwebhooks package; --lateness prints how long deliveries took from the event's
making to their first arrival; --answered FILE wants a 2xx for each id in the file; --overlaps wants no delivery to be
under way twice at the same time.
"""
import argparse, base64, collections, datetime, json, sys, time, unittest.mock

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("logs", nargs="+")
parser.add_argument("--path", default="/")
parser.add_argument("--standard")
parser.add_argument("--lateness", action="store_true")
parser.add_argument("--answered")
parser.add_argument("--overlaps", action="store_true")
parser.add_argument("--repeats", type=int, default=0)
arguments = parser.parse_args()

records = []
for path in arguments.logs:
    with open(path) as log:
        records += [json.loads(line) for line in log]
requests = [r for r in records if r["kind"] == "request" and r["target"].startswith(arguments.path)]
# A receiver that resets or stalls before it reads has no body to check.
UNREAD = ("rst0", "noread")
# A receiver that says 200 in a way nobody should have to read has not said it.
UNREADABLE = ("hdrbomb", "longline")


def header(request, name):
    return next((value for key, value in request["headers"] if key.lower() == name), None)


def body_of(request):
    return request["body"].encode() if "body" in request else base64.b64decode(request["body_b64"])


def is_of_the_spool(request):
    """Whether it was sent while the store was away. A first try alone: one that arrives is never sent again."""
    try:
        lead = json.loads(body_of(request)).get("lead")
    except ValueError:
        return False
    return isinstance(lead, dict) and lead.get("id") is None


def is_done(request):
    is_success = request["answered"] is not None and 200 <= request["answered"] < 300
    return is_success and request["step"].split(":")[0] not in UNREADABLE


def judge():
    wrong = []
    repeated = 0
    tries = collections.defaultdict(list)
    for request in requests:
        tries[header(request, "x-leadline-delivery-id"), request["target"]].append(request)
        if request["step"].split(":")[0] in UNREAD:
            continue
        verdicts = request["sig"]
        kinds = {scheme.split(":")[0] for scheme in verdicts}
        if kinds != {"hmac", "standard"} or set(verdicts.values()) != {"ok"}:
            wrong.append("%s: signatures %s" % (request["target"], verdicts))
        if header(request, "webhook-id") != header(request, "x-leadline-delivery-id"):
            wrong.append("%s: two ids" % request["target"])
        if not header(request, "x-leadline-event") or not (header(request, "user-agent") or "").startswith("Leadline/"):
            wrong.append("%s: event or user agent is missing" % request["target"])
    for (delivery, target), attempts in tries.items():
        attempts.sort(key=lambda request: request["seq"])
        read = [r for r in attempts if r["step"].split(":")[0] not in UNREAD]
        stored = {r["sha256"] for r in read if not is_of_the_spool(r)}
        spooled = {r["sha256"] for r in read if is_of_the_spool(r)}
        if len(stored) > 1 or len(spooled) > 1:
            wrong.append("%s %s: the body changed" % (target, delivery))
        done = [is_done(request) for request in attempts]
        if True in done and done.index(True) < len(done) - 1:
            repeated += 1
            if repeated > arguments.repeats:
                wrong.append("%s %s: sent again after a 2xx" % (target, delivery))
    print("%d requests, %d deliveries, %d wrong, %d repeated" % (len(requests), len(tries), len(wrong), repeated))
    print("\n".join(sorted(set(wrong))[:10]))
    return bool(wrong) or not requests


def answered():
    with open(arguments.answered) as file:
        wanted = {line.strip() for line in file if line.strip()}
    missing = wanted - {header(r, "x-leadline-delivery-id") for r in requests if is_done(r)}
    print("%d of %d were never answered 2xx" % (len(missing), len(wanted)))
    print("\n".join(sorted(missing)[:10]))
    return bool(missing) or not wanted


def overlaps():
    tries = collections.defaultdict(list)
    for request in requests:
        # The line is written when the answer is out.
        tries[header(request, "x-leadline-delivery-id")].append((request["t"] - request["ms"] / 1000, request["t"]))
    wrong = 0
    for spans in tries.values():
        spans.sort()
        wrong += sum(later[0] < earlier[1] for earlier, later in zip(spans, spans[1:]))
    print("%d requests, %d deliveries, %d at the same time as another of theirs" % (len(requests), len(tries), wrong))
    return wrong > 0 or not requests


def judge_by_package():
    from standardwebhooks.webhooks import Webhook

    webhook = Webhook(arguments.standard)
    for request in requests:
        headers = {name: header(request, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
        # The package allows five minutes by today's clock; the log may be older. Its clock is set to the arrival.
        arrival = datetime.datetime.fromtimestamp(request["t"], tz=datetime.timezone.utc)
        with unittest.mock.patch("standardwebhooks.webhooks.datetime", wraps=datetime.datetime) as clock:
            clock.now.return_value = arrival
            webhook.verify(body_of(request).decode(), headers)
    print("%d verified" % len(requests))
    return not requests


def lateness():
    made = {header(r, "x-leadline-delivery-id"): json.loads(body_of(r))["createdAt"] for r in requests}
    arrived = {}
    for record in records:
        if record["kind"] == "arrive":
            arrived.setdefault(record["id"], record["t"])
    times = []
    for delivery, text in made.items():
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
        times.append((arrived[delivery] - at) * 1000)
    times.sort()
    if not times:
        sys.exit("nothing arrived")
    pick = lambda share: round(times[min(len(times) - 1, int(len(times) * share))], 1)
    print(json.dumps({"deliveries": len(times), "p50": pick(0.5), "p99": pick(0.99), "max": round(times[-1], 1)}))
    return False


if arguments.lateness:
    sys.exit(lateness())
if arguments.answered:
    sys.exit(answered())
if arguments.overlaps:
    sys.exit(overlaps())
sys.exit(judge_by_package() if arguments.standard else judge())
