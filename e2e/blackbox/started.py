#!/usr/bin/env python3
"""Counts what a gateway was handed:   started.py --steps N [--repeats N] LOG…

Every step has one message, which names itself by `Idempotency-Key` and goes to one number. So there must be as many keys as
steps and as many numbers as keys, and whatever comes twice under one key must say the same: a gateway takes it once. No
more than --repeats requests may be such repeats.
"""
import argparse, collections, json, sys

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("logs", nargs="+")
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--repeats", type=int, default=0)
arguments = parser.parse_args()

bodies = collections.defaultdict(list)
for path in arguments.logs:
    with open(path) as log:
        for record in map(json.loads, log):
            if record["kind"] != "request":
                continue
            key = next((value for name, value in record["headers"] if name.lower() == "idempotency-key"), None)
            bodies[key].append(record.get("body"))

wrong = []
if None in bodies:
    wrong.append("%d requests without a key" % len(bodies.pop(None)))
numbers = collections.Counter(json.loads(sent[0])["to"] for sent in bodies.values())
twice = [number for number, count in numbers.items() if count > 1]
differing = [key for key, sent in bodies.items() if len(set(sent)) > 1]
repeats = sum(len(sent) - 1 for sent in bodies.values())
print("%d steps, %d numbers, %d repeats" % (len(bodies), len(numbers), repeats))
if len(bodies) != arguments.steps:
    wrong.append("wanted %d steps, got %d" % (arguments.steps, len(bodies)))
if twice:
    wrong.append("%d numbers were written to by more than one message, such as %s" % (len(twice), twice[0]))
if differing:
    wrong.append("%d messages said something else the second time, such as %s" % (len(differing), differing[0]))
if repeats > arguments.repeats:
    wrong.append("%d requests were repeats, at most %d may be" % (repeats, arguments.repeats))
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
