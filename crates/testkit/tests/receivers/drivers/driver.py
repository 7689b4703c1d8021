"""Puts each case of a folder to the receiver kit's verify.py and prints what it says, a line each."""

import importlib.util
import pathlib
import sys

kit, folder = sys.argv[1], pathlib.Path(sys.argv[2])
spec = importlib.util.spec_from_file_location("verify", kit)
verify = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(verify)

for line in (folder / "cases.tsv").read_text().splitlines():
    way, now, secrets, headers_file, body_file = line.split("\t")
    headers = dict(each.split(": ", 1) for each in (folder / headers_file).read_text().splitlines())
    body = (folder / body_file).read_bytes()
    if way == "standard":
        is_ours = verify.is_standard_signature_ours(secrets.split(","), headers, body, int(now))
    else:
        is_ours = verify.is_plain_signature_ours(secrets.split(","), headers, body)
    print("yes" if is_ours else "no")
