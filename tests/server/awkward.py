"""Receivers that take what they are handed, and then do as a script says instead of answering properly."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import BinaryIO

from tests.server.receivers import Received

__all__ = ["CLOSE", "RESET", "Awkward", "awkward_http", "awkward_smtp", "said"]

RESET, CLOSE = "reset", "close"
"""The connection breaks off, or is closed in good order; after that a script is over."""

Script = tuple["bytes | float | str", ...]
"""What is sent, how many seconds nothing is, and how it ends."""
Talk = Callable[[BinaryIO, socket.socket], bool]


def said(status: str, text: str = "") -> bytes:
    """A whole HTTP answer on a connection that may be used again."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: keep-alive\r\n\r\n{text}".encode()


@dataclass
class Awkward:
    """A receiver.

    Attributes:
        port: where it is, on loopback.
        requests, mails: what it took.
        scripts: what it does with one connection after the other; when they are used up, it answers properly.
    """

    scripts: list[Script]
    port: int = 0
    requests: list[Received] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def act(self, connection: socket.socket, properly: bytes) -> bool:
        """Do what is next; whether it was a proper answer."""
        script = self.scripts.pop(0) if self.scripts else None
        for step in script or (properly,):
            match step:
                case bytes():
                    connection.sendall(step)
                case float():
                    time.sleep(step)
                case _:
                    if step == RESET:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return False
        return True


@contextmanager
def awkward_http(*scripts: Script) -> Generator[Awkward]:
    """An HTTP receiver."""
    receiver = Awkward([*scripts])

    def talk(file: BinaryIO, connection: socket.socket) -> bool:
        first = file.readline().decode().split()
        lines = iter(lambda: file.readline().decode().strip(), "")
        headers = dict(line.split(": ", 1) for line in lines)
        receiver.requests.append(Received(first[1], headers, file.read(int(headers["Content-Length"]))))
        return receiver.act(connection, said("200 OK", "kept"))

    with _listening(receiver, talk):
        yield receiver


@contextmanager
def awkward_smtp(*scripts: Script) -> Generator[Awkward]:
    """A mail server, which does as its scripts say after it has a mail's last line."""
    receiver = Awkward([*scripts])

    def talk(file: BinaryIO, connection: socket.socket) -> bool:
        connection.sendall(b"220 awkward\r\n")
        for line in file:
            match line.split()[0].upper():
                case b"DATA":
                    connection.sendall(b"354 go on\r\n")
                    mail = b"".join(iter(file.readline, b".\r\n"))
                    receiver.mails.append(message_from_bytes(mail, policy=default))
                    if not receiver.act(connection, b"250 kept\r\n"):
                        return False
                case b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return True
                case _:
                    connection.sendall(b"250 ok\r\n")
        return True

    with _listening(receiver, talk):
        yield receiver


@contextmanager
def _listening(receiver: Awkward, talk: Talk) -> Generator[None]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        receiver.port = door.getsockname()[1]

        def serve() -> None:
            with suppress(OSError):  # the door is closed
                while True:
                    threading.Thread(target=answer, args=door.accept()[:1], daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with suppress(OSError, IndexError), connection, connection.makefile("rb") as file:
                talk(file, connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        door.shutdown(socket.SHUT_RDWR)
        thread.join()
