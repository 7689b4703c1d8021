"""A real SMTP server for tests:   server.py PACKAGES CERTIFICATE KEY MODE

MODE is starttls (demanded, with a sign-in as leadline / a password), tls (from the first byte) or plain. Prints its port,
then each message that it took as a line of JSON. An address that begins with "refused" gets a 550, one that begins with
"later" a 451.
"""
import asyncio
import json
import ssl
import sys

sys.path.insert(0, sys.argv[1])
from aiosmtpd.smtp import SMTP, AuthResult  # noqa: E402

_, _, certificate, key, mode = sys.argv
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 nobody of this name lives here"
        if address.startswith("later"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "content": envelope.content.decode("utf-8", "replace"),
            "isEncrypted": session.ssl is not None or mode == "tls", "isSignedIn": bool(session.authenticated),
        }), flush=True)
        return "250 OK"


def sign_in(server, session, envelope, mechanism, data):
    is_ours = (data.login, data.password) == (b"leadline", b"a password/with+signs")
    return AuthResult(success=is_ours)


def protocol():
    if mode != "starttls":
        return SMTP(Handler())
    return SMTP(Handler(), tls_context=context, require_starttls=True, authenticator=sign_in, auth_required=True)


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until whoever started it goes away.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
