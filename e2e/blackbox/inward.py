#!/usr/bin/env python3
"""Names for the closed network:   inward.py rules DIR

Prints a rule for every host name of DIR/urls_refuse.json that is no address and no single label: all lead to loopback,
as the real ones do. Then the rules of DIR/rebind.json.
"""
import ipaddress, json, pathlib, sys, urllib.parse

folder = pathlib.Path(sys.argv[2])


def hosts(name):
    found = set()
    for case in json.loads((folder / name).read_text()):
        try:
            host = urllib.parse.urlsplit(case["url"]).hostname or ""
            ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            continue
        if "." in host and host.isascii() and len(host) < 200 and all(c.isalnum() or c in ".-" for c in host):
            found.add(host)
    return found


# A name that stands in both lists (refused for its scheme, say) is a good name.
for name in sorted(hosts("urls_refuse.json") - hosts("urls_accept.json")):
    print(f"{name}=127.0.0.1")
for case in json.loads((folder / "rebind.json").read_text()):
    print(case["rule"])
