"""Nothing leads to where only machines inside are meant: no name, redirect, proxy or library that calls by itself."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from datetime import timedelta
from email.utils import format_datetime

import pytest
from cryptography.fernet import Fernet

from server.channels.addresses import allowed_addresses, guarded
from server.channels.apprise_services import AppriseService
from server.channels.webhook import Webhook
from server.database import Database
from server.errors import RegistryError
from server.integrations import Provider, create_integration
from server.lineage_sinks import to_url
from server.message import Message
from server.outbox import DeliveryError, Outbox, Parcel, enqueue
from server.policies import Retries
from server.registry import Registry
from server.secrets import Vault
from tests.conftest import free_port
from tests.server.conftest import NOW
from tests.server.receivers import http_receiver

PARCEL = Parcel("k", "webhook", "ops", Message("subject", "text", event={"specversion": "1.0"}))
METADATA = "169.254.169.254"


class Names:
    """A resolver of our own: a name means the next of its answers each time that it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): [*each] for name, each in answers.items()}
        self.asked: list[str] = []
        really = socket.getaddrinfo

        def lookup(host, port, *arguments, **options):
            if host not in self.answers:
                return really(host, port, *arguments, **options)
            self.asked.append(host)
            found = self.answers[host].pop(0)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_a_name_is_looked_up_once_and_that_address_is_called(monkeypatch):
    with http_receiver() as receiver:
        names = Names(monkeypatch, ops_example=[["127.0.0.1"], [METADATA]])
        port = receiver.url.rpartition(":")[2]
        assert Webhook(f"http://ops.example:{port}", private=True).send(PARCEL, NOW) == "200 said 200"
        assert names.asked == ["ops.example"]
        assert receiver.requests[0].headers["Host"] == f"ops.example:{port.partition('/')[0]}"


def test_one_bad_address_of_several_is_enough(monkeypatch):
    Names(monkeypatch, ops_example=[["93.184.216.34", METADATA]])
    with pytest.raises(DeliveryError, match=r"ops.example is 169\.254\.169\.254, a link-local"):
        allowed_addresses("http://ops.example/", private=True)


def test_a_proxy_of_the_environment_is_not_asked_to_deliver_a_webhook(monkeypatch):
    with http_receiver() as proxy, http_receiver() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        Webhook(receiver.url, private=True).send(PARCEL, NOW)
        to_url(receiver.url)([{"eventType": "START"}])
    assert (len(receiver.requests), len(proxy.requests)) == (2, 0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://[::1", "http://ada:secret@example.com/"])
def test_a_webhook_that_can_never_be_called_is_not_kept(tmp_path, url):
    database = Database(str(tmp_path / "registry.db"))
    database.upgrade()
    vault = Vault.of(Fernet.generate_key().decode())
    with pytest.raises(RegistryError, match="URL"), database.session() as session:
        create_integration(
            Registry(session, "test", NOW), vault, "ops", Provider.WEBHOOK, secret="", settings={"url": url}
        )
    database.close()


# ------------------------------------------------------------------------------------ libraries that do their own calls


@pytest.mark.parametrize("scheme", ["json", "xml", "form", "ntfy", "mailto"])  # HTTP and SMTP
def test_apprise_calls_no_metadata_address(scheme):
    with pytest.raises(DeliveryError, match="link-local or metadata") as found:
        AppriseService("apprise", f"{scheme}://ada:secret@{METADATA}/topic?to=ada@example.com").send(PARCEL)
    assert found.value.hopeless


def test_apprise_is_not_led_there_by_a_name_that_changes_its_meaning(monkeypatch):
    names = Names(monkeypatch, ops_example=[[METADATA]] * 9)
    with pytest.raises(DeliveryError, match="link-local or metadata"):
        AppriseService("apprise", "json://ops.example/").send(PARCEL)
    assert names.asked


def test_apprise_is_not_led_there_by_a_redirect():
    with http_receiver(302, 302) as receiver, pytest.raises(DeliveryError, match="302"):
        AppriseService("apprise", receiver.url.replace("http", "json")).send(PARCEL)
    with http_receiver(302) as receiver, pytest.raises(DeliveryError, match="302"):
        AppriseService("apprise", receiver.url.replace("http", "json") + "?redirect=yes").send(PARCEL)
    assert len(receiver.requests) == 1


def test_a_proxy_calls_no_host_of_the_users_but_is_said_to_be_in_the_way(monkeypatch):
    with http_receiver() as proxy, http_receiver() as receiver:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://ada:secret@"))
        monkeypatch.delenv("no_proxy", raising=False)
        service = AppriseService("apprise", receiver.url.replace("http", "json"))
        with pytest.raises(DeliveryError, match="NO_PROXY") as found:
            service.send(PARCEL)
        assert "secret" not in str(found.value)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert service.send(PARCEL).startswith("taken")
        assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


def test_openlineage_goes_to_no_metadata_address():
    with pytest.raises(OSError, match="link-local or metadata"):
        to_url(f"http://{METADATA}/api/v1/lineage")([{}])
    with pytest.raises(DeliveryError, match="a user or a password"):
        to_url("http://ada:secret@127.0.0.1/")([{}])


def test_the_guard_is_for_its_block_and_knows_private_addresses():
    port = free_port()
    with guarded(private=False) as refused, pytest.raises(PermissionError, match="private network"):
        socket.create_connection(("127.0.0.1", port))
    assert len(refused) == 1
    with guarded(private=True) as refused, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert refused == []


# ------------------------------------------------------------------------------------------------------- Retry-After


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("90", timedelta(seconds=90)),
        (format_datetime(NOW + timedelta(minutes=3), usegmt=True), timedelta(minutes=3)),
        ("999999999", timedelta(minutes=10)),  # within bounds
        ("9" * 30, timedelta(minutes=1)),
        ("2", timedelta(minutes=1)),  # never sooner than it would have been
        ("-5", timedelta(minutes=1)),
        ("soon", timedelta(minutes=1)),
        ("", timedelta(minutes=1)),
        (format_datetime((NOW + timedelta(minutes=3)).replace(tzinfo=None)), timedelta(minutes=1)),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_patience_gets_it(tmp_path, status, said, expected):
    database = Database(str(tmp_path / "registry.db"))
    database.upgrade()
    with http_receiver(status) as receiver:
        receiver.more = {"Retry-After": said}
        with database.session() as session:
            enqueue(session, [PARCEL], NOW)
        clock = NOW
        outbox = Outbox(
            database,
            lambda parcel: Webhook(receiver.url, private=True).send(parcel, clock),
            Retries(most=3, first=timedelta(minutes=1), longest=timedelta(minutes=10)),
        )
        assert outbox.step(clock) == 0
        clock = NOW + expected - timedelta(seconds=1)
        assert outbox.step(clock) == 0
        assert len(receiver.requests) == 1
        clock = NOW + expected
        assert outbox.step(clock) == 1
    database.close()


def test_an_answer_without_an_end_is_read_at_its_beginning_only():
    bomb = gzip.compress(bytes(50_000_000))
    with http_receiver(500, 500, 500) as receiver:
        receiver.says, receiver.more = bomb, {"Content-Encoding": "gzip"}
        tracemalloc.start()
        with pytest.raises(DeliveryError, match="500"):
            Webhook(receiver.url, private=True).send(PARCEL, NOW)
        with pytest.raises(OSError, match="the answer was 500"):
            to_url(receiver.url)([{}])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 5_000_000
