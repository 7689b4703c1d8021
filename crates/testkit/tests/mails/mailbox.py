"""A real IMAP server for tests:   mailbox.py PACKAGES CERTIFICATE KEY

TLS from the first byte; one user, leadline with "a password/with+signs", whose mailbox is empty. Prints its port, then a
line of JSON for each line that it reads: "mail BASE64" puts a mail into the mailbox, "renew" empties the mailbox and
counts anew, "look" tells the flags of each mail.
"""
import asyncio
import base64
import imaplib
import json
import ssl
import sys
from argparse import Namespace
from datetime import datetime, timezone

sys.path.insert(0, sys.argv[1])
from proxyprotocol.reader import ProxyProtocolReader  # noqa: E402
from pymap.backend.dict import Config, DictBackend, Login  # noqa: E402
from pymap.imap import IMAPServer  # noqa: E402
from pymap.parsing.message import AppendMessage  # noqa: E402

_, _, certificate, key = sys.argv
USER, PASSWORD = "leadline", "a password/with+signs"


async def serve():
    config = Config(
        Namespace(passlib_cfg=None, proxy_protocol=None), host="127.0.0.1", port=0, tls_enabled=False, secure_auth=False, reject_dnsbl=False,
        demo_data=False, demo_user=USER, demo_password=PASSWORD,
    )
    config.apply_context()
    login = Login(config)
    await DictBackend._add_demo_user(config, login)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    answer = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    print(port, flush=True)

    async def put(mail):
        async with login.demo_user_identity.new_session() as session:
            inbox = await session.mailbox_set.get_mailbox("INBOX")
            await inbox.append(AppendMessage(mail, datetime.now(timezone.utc), frozenset()), recent=True)

    def look():
        client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=ssl._create_unverified_context())
        client.login(USER, PASSWORD)
        client.select("INBOX", readonly=True)
        _, found = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [line.decode() for line in found if line]

    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command, _, rest = line.strip().partition(" ")
        told = None
        if command == "mail":
            await put(base64.b64decode(rest))
        elif command == "renew":
            config.set_cache.clear()
        elif command == "look":
            told = await loop.run_in_executor(None, look)
        print(json.dumps(told), flush=True)


asyncio.run(serve())
