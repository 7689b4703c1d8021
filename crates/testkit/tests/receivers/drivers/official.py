"""Puts each case of a folder to the official package for Python and prints what it says, a line each."""

import pathlib
import sys

packages, folder = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, packages)

from standardwebhooks import Webhook, WebhookVerificationError  # noqa: E402

for line in (folder / "cases.tsv").read_text().splitlines():
    _, _, secret, headers_file, body_file = line.split("\t")
    headers = dict(each.split(": ", 1) for each in (folder / headers_file).read_text().splitlines())
    try:
        payload = Webhook(secret).verify((folder / body_file).read_bytes(), headers)
        print("yes" if payload["version"] == 1 else "no")
    except WebhookVerificationError:
        print("no")
