#!/usr/bin/env python3
"""Posts the multipart cases of others to one form:   multipart.py --url http://127.0.0.1:PORT/f/KEY --cases DIR

A case that names the parts it expects must be accepted or refused with 422 (its parts hold nobody's name, e-mail or
phone); one that expects an error must be refused, or kept as far as it could be read. A 5xx or a hang never passes.
"""
import argparse, http.client, pathlib, re, sys, urllib.parse

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--url", required=True)
parser.add_argument("--cases", required=True, type=pathlib.Path)
arguments = parser.parse_args()
target = urllib.parse.urlsplit(arguments.url)


def post(boundary, body):
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=10)
    headers = {"Content-Type": "multipart/form-data; boundary=" + boundary, "Accept": "application/json"}
    connection.request("POST", target.path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def with_an_email(boundary, body):
    """The same body with one more part that says whose it is, so that a good body has to be accepted."""
    part = '--%s\r\nContent-Disposition: form-data; name="email"\r\n\r\nmultipart@example.com\r\n' % boundary
    return part.encode() + body


def main():
    bad, count = [], 0
    for path in sorted((arguments.cases / "cases").glob("*.http")):
        text = path.with_suffix(".yaml").read_text()
        boundary = re.search(r"^boundary: *(\S+)", text, re.M).group(1)
        wants_error = re.search(r"^ *error:", text, re.M) is not None
        body = path.read_bytes()
        if body.startswith(boundary.encode()):
            boundary = boundary[2:]  # this one is written with the dashes that the body puts before it
        plain, named = post(boundary, body), post(boundary, with_an_email(boundary, body))
        count += 2
        if plain >= 500 or named >= 500:
            bad.append("%s: %d and %d" % (path.name, plain, named))
        elif not wants_error and body.strip() and named >= 400:
            bad.append("%s: a good body was refused with %d" % (path.name, named))
    for path in sorted((arguments.cases / "browsers").glob("*/request.http")):
        body = path.read_bytes()
        boundary = body.split(b"\r\n", 1)[0].decode()[2:]
        status = post(boundary, with_an_email(boundary, body))
        count += 1
        if status >= 400:
            bad.append("%s: a browser's body was refused with %d" % (path.parent.name, status))
    print("%d bodies, %d wrong" % (count, len(bad)))
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


main()
