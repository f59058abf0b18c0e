"""Real receivers on loopback: an SMTP server, and an HTTP server that answers as it is told."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What an SMTP server was handed.

    Attributes:
        refuse: its answer to every recipient; None: it takes them.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuse: str | None = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@contextmanager
def smtp_server(password: str | None = None) -> Generator[Mailbox]:
    """An SMTP server; with a password it asks for it (user ``ada``)."""
    from tests.conftest import free_port

    box = Mailbox(free_port())

    def known(server, session, envelope, mechanism, given):
        right = isinstance(given, LoginPassword) and given.password == (password or "").encode()
        return AuthResult(success=right, handled=False)  # so that aiosmtpd itself says it was wrong

    asks = {"authenticator": known, "auth_required": True, "auth_require_tls": False} if password else {}
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **asks)
    controller.start()
    yield box
    controller.stop()


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """What an HTTP server was sent, and how it answers: a status code, or seconds to hang, one after the other."""

    url: str = ""
    requests: list[Received] = field(default_factory=list)
    answers: list[int | float] = field(default_factory=list)
    says: bytes = b""
    more: dict[str, str] = field(default_factory=dict)
    """Headers of its answers."""


@contextmanager
def http_receiver(*answers: int | float, tls: ssl.SSLContext | None = None) -> Generator[HttpReceiver]:
    """An HTTP server; when its answers are used up, it says 200."""
    receiver = HttpReceiver(answers=[*answers])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.requests.append(Received(self.path, dict(self.headers.items()), body))
            answer = receiver.answers.pop(0) if receiver.answers else 200
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            self.send_response(answer)
            if answer in (301, 302, 307):
                self.send_header("Location", "http://169.254.169.254/latest")
            for name, value in receiver.more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.says or f"said {answer}".encode())

        do_GET = do_POST

        def log_message(self, format, *args):
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
