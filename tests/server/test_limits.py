"""So much, so fast, so often: a real server on loopback, and clients that behave badly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobs.serve import _limited
from server.database import Database
from server.keys import Role, create_key, revoke_key
from server.limits import HEADER
from server.pulse import Pulse
from server.rates import Rates
from server.registry import Registry
from server.settings import HttpKeys
from server.web import application
from tests.server.conftest import NOW

# ------------------------------------------------------------------------------------------------------------- rates


def test_a_bucket_gives_a_minutes_worth_at_once_and_refills_evenly():
    rates = Rates(60)
    assert [rates.take("ada", 0.0) for _ in range(60)] == [0.0] * 60
    assert rates.take("ada", 0.0) == 1.0  # so long to wait
    assert rates.take("bob", 0.0) == 0.0
    assert rates.take("ada", 0.5) == 0.5
    assert [rates.take("ada", 10.0) for _ in range(11)] == [0.0] * 10 + [1.0]
    assert [rates.take("ada", 1e9) for _ in range(61)] == [0.0] * 60 + [1.0]  # and never holds more


def test_many_addresses_fill_no_memory():
    rates = Rates(60, most=100)
    for number in range(100_000):
        rates.take(str(number), 0.0)
    assert len(rates) == 100


# ------------------------------------------------------------------------------------------------- a server on a port


@dataclass
class Server:
    port: int

    def ask(self, path: str = "/echo", key: str | None = None, source: str = "127.0.0.1", **given) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source), trust_env=False) as client:
            headers = {HEADER: key} if key else {}
            return client.request("POST", f"http://127.0.0.1:{self.port}{path}", headers=headers, **given)

    def get(self, path: str, key: str | None = None, source: str = "127.0.0.1", **headers: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source), trust_env=False) as client:
            asked = {**headers, **({HEADER: key} if key else {})}
            return client.get(f"http://127.0.0.1:{self.port}{path}", headers=asked)

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))


@contextmanager
def running(database: Database, **keys) -> Generator[Server]:
    """What `driftline serve` answers with, and two pages more."""

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    async def large(_: Request) -> Response:
        return Response(b"x" * 50_000_000)

    app = application(database, Pulse(), lambda: NOW)
    app.router.routes += [Route("/echo", echo, methods=["POST"]), Route("/large", large)]
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(**_limited(app, HttpKeys(**keys)), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([door],), daemon=True)
    thread.start()
    try:
        yield Server(door.getsockname()[1])
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        door.close()


@pytest.fixture
def registry_file(tmp_path) -> Iterator[Database]:
    database = Database(str(tmp_path / "registry.db"))
    database.upgrade()
    yield database
    database.close()


def new_key(database: Database, name: str) -> str:
    with database.session() as session:
        return create_key(Registry(session, "test", NOW), name, Role.VIEWER, bound=False).secret


def said(connection: socket.socket) -> bytes:
    """All that is answered until the other side has closed."""
    answer = b""
    try:
        while more := connection.recv(65536):
            answer += more
    except ConnectionResetError:
        pass
    return answer


def test_what_is_too_large_is_not_taken_however_it_comes(registry_file):
    with running(registry_file, largest_body=1000) as server:
        assert server.ask(content=b"x" * 1000).text == "x" * 1000
        assert server.ask(content=iter([b"x" * 400, b"y" * 600])).text == "x" * 400 + "y" * 600
        for content in (b"x" * 1001, iter([b"x" * 600, b"x" * 600])):
            answer = server.ask(content=content)
            assert (answer.status_code, answer.json()) == (413, {"error": "the body has more than 1000 bytes"})
        assert server.get("/echo?" + "x" * 20_000).status_code == 431
        assert server.get("/echo", cookie="x" * 20_000).status_code == 431
        endless = server.connect()
        endless.sendall(b"GET / HTTP/1.1\r\nCookie: " + b"x" * 17_000)
        assert said(endless).startswith(b"HTTP/1.1 400")
        endless.close()
        assert server.get("/healthz").status_code == 200


def test_slow_clients_are_left_and_others_are_answered_meanwhile(registry_file):
    with running(registry_file, patience="PT1S") as server:
        silent, head, body, deaf = (server.connect() for _ in range(4))
        head.sendall(b"POST /echo HTTP/1.1\r\nHos")
        body.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
        deaf.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert server.ask(content=b"quick").text == "quick"
        started = time.monotonic()
        assert said(silent) == said(head) == b""
        assert said(body).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 5
        time.sleep(2)
        assert len(said(deaf)) < 50_000_000  # it was left, with what is on the way
        # A second request on a connection that was good has the same time.
        again = server.connect()
        again.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        while not again.recv(65536).endswith(b"x"):
            pass
        again.sendall(b"POST")
        assert said(again) == b""
        for each in (silent, head, body, deaf, again):
            each.close()


def test_one_address_has_half_of_the_connections_at_most(registry_file):
    with running(registry_file, connections=6) as server:
        held = [server.connect() for _ in range(4)]
        assert said(held[3]).startswith(b"HTTP/1.1 503")
        assert server.get("/healthz", source="127.0.0.2").status_code == 200
        more = [server.connect("127.0.0.3") for _ in range(3)]
        late = server.connect("127.0.0.2")  # all six are taken
        assert said(late).startswith(b"HTTP/1.1 503")
        for each in (*held, *more, late):
            each.close()
    with running(registry_file, connections=6, proxies=["127.0.0.1"]) as server:
        held = [server.connect() for _ in range(5)]
        assert server.get("/healthz").status_code == 200
        for each in held:
            each.close()


def test_who_guesses_keys_is_stopped_and_shuts_out_nobody_else(registry_file):
    good = new_key(registry_file, "good")
    with running(registry_file, wrong_keys_per_minute=5) as server:
        assert server.get("/metrics", good).status_code == 503  # nothing is measured yet, but the key is right
        answers = [server.get("/metrics", f"driftline_{number}") for number in range(7)]
        assert [each.status_code for each in answers] == [401] * 5 + [429] * 2
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
        assert server.get("/metrics", good).status_code == 503
        assert server.get("/healthz", "driftline_x").status_code == 200
        assert server.get("/metrics", "driftline_x", source="127.0.0.2").status_code == 401


def test_a_key_has_a_rate_and_one_that_was_revoked_is_like_any_wrong_one(registry_file):
    good, other = new_key(registry_file, "good"), new_key(registry_file, "other")
    with running(registry_file, requests_per_minute=5, wrong_keys_per_minute=2) as server:
        # The first time that a key comes nobody knows yet that it is right: its address pays.
        assert [server.get("/metrics", good).status_code for _ in range(7)] == [503] * 6 + [429]
        assert server.get("/metrics", other).status_code == 503
        assert server.get("/healthz").status_code == 200
        with registry_file.session() as session:
            revoke_key(Registry(session, "test", NOW), "other")
        assert [server.get("/metrics", other).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_without_a_key_addresses_have_a_rate_which_a_proxy_may_tell(registry_file):
    with running(registry_file, requests_per_minute=3) as server:
        forged = [server.get("/metrics", **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(4)]
        assert [each.status_code for each in forged] == [401] * 3 + [429]
    with running(registry_file, requests_per_minute=3, proxies=["127.0.0.1"]) as server:
        told = [server.get("/metrics", **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(4)]
        assert [each.status_code for each in told] == [401] * 4
        one_household = [server.get("/metrics", **{"X-Forwarded-For": f"2001:db8::{number}"}) for number in range(4)]
        assert [each.status_code for each in one_household] == [401] * 3 + [429]
