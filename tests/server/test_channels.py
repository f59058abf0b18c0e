"""What real receivers are sent, and what their answers mean."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat

from server.channels.addresses import allowed_addresses
from server.channels.email import SmtpServer
from server.channels.webhook import SIGNATURE, TIMESTAMP, Webhook, signature_of, verify
from server.message import Message, Severity
from server.outbox import DeliveryError, Parcel
from tests.server.conftest import NOW
from tests.server.receivers import http_receiver, smtp_server

EVENT = {
    "specversion": "1.0",
    "id": "replaced",
    "source": "/driftline/monitors/flights",
    "type": "Microsoft.MachineLearningServices.RunStatusChanged",
    "time": "2026-11-26T12:00:00Z",
    "datacontenttype": "application/json",
    "data": {"RunTags": {"azureml_modelmonitor_threshold_breached": "flights_drift has failed"}},
}
MESSAGE = Message(
    "flights: 2 breaches", "plain", "<p>rich <img src='cid:picture'>", b"\x89PNG", thread="flights", event=EVENT
)
PARCEL = Parcel("flights/2026-11-26/ada", "email", "ada@example.com", MESSAGE)

# ------------------------------------------------------------------------------------------------------------ e-mail


def plain_smtp(port: int, **fields) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, security="none", sender="driftline@example.com", patience=5, **fields)


def test_an_email_has_a_text_a_page_and_its_picture():
    with smtp_server() as box:
        assert plain_smtp(box.port).send(PARCEL, NOW) == "accepted by 127.0.0.1"
    (mail,) = box.mails
    assert (mail["Subject"], mail["To"]) == ("flights: 2 breaches", "ada@example.com")
    assert mail.get_body(("plain",)).get_content().strip() == "plain"
    assert "cid:picture" in mail.get_body(("html",)).get_content()
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (picture.get_content(), picture["Content-ID"]) == (b"\x89PNG", "<picture>")


def test_the_same_message_has_the_same_id_and_a_thread_holds_together():
    other = Parcel("flights/2026-11-27/ada", "email", "ada@example.com", MESSAGE)
    with smtp_server() as box:
        for parcel in (PARCEL, PARCEL, other):
            plain_smtp(box.port).send(parcel, NOW)
    first, again, second = box.mails
    assert first["Message-ID"] == again["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]


def test_a_subject_cannot_carry_headers():
    sly = Parcel("k", "email", "ada@example.com", Message("x\r\nBcc: eve@example.com", "text"))
    with smtp_server() as box:
        plain_smtp(box.port).send(sly, NOW)
    assert (box.mails[0]["Bcc"], box.mails[0]["Subject"]) == (None, "x Bcc: eve@example.com")


@pytest.mark.parametrize(("answer", "hopeless"), [("550 no such user", True), ("451 try later", False)])
def test_a_refused_recipient_is_for_good_or_for_now(answer, hopeless):
    with smtp_server() as box:
        box.refuse = answer
        with pytest.raises(DeliveryError, match=answer) as found:
            plain_smtp(box.port).send(PARCEL, NOW)
    assert found.value.hopeless is hopeless


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on loopback, in a test
def test_a_wrong_password_is_said_without_it_and_may_be_mended():
    with smtp_server(password="right") as box:
        assert plain_smtp(box.port, user="ada", password="right").check().startswith("250")
        with pytest.raises(DeliveryError, match="535") as found:
            plain_smtp(box.port, user="ada", password="wrong").send(PARCEL, NOW)
    assert not found.value.hopeless
    assert "wrong" not in str(found.value) + repr(plain_smtp(1, password="wrong"))


def test_nobody_at_the_door_is_an_os_error():
    with pytest.raises(OSError, match="refused"):
        plain_smtp(9).send(PARCEL, NOW)


# ---------------------------------------------------------------------------------------------------------- webhooks


def test_the_cloudevents_sdk_reads_what_a_webhook_gets_and_the_signature_holds():
    with http_receiver() as receiver:
        answer = Webhook(receiver.url, "s3cret", private=True).send(PARCEL, NOW)
    (got,) = receiver.requests
    event = from_http_event(HTTPMessage(got.headers, got.body), JSONFormat())
    assert event.get_id() == PARCEL.dedupe_key
    assert event.get_type() == EVENT["type"]
    assert event.get_data() == EVENT["data"]
    signed = {"timestamp": got.headers[TIMESTAMP], "signature": got.headers[SIGNATURE]}
    assert verify("s3cret", got.body, **signed, now=NOW)
    assert not verify("other", got.body, **signed, now=NOW)
    assert not verify("s3cret", got.body + b" ", **signed, now=NOW)
    assert not verify("s3cret", got.body, **signed, now=NOW + timedelta(hours=1))
    assert answer == "200 said 200"


def test_a_signature_is_that_of_a_known_example():
    # printf '1.{}' | openssl dgst -sha256 -hmac key
    assert signature_of("key", "1", b"{}") == "v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"


@pytest.mark.parametrize(("status", "hopeless"), [(503, False), (429, False), (404, True), (400, True), (302, False)])
def test_what_a_receiver_answers_decides_whether_it_is_asked_again(status, hopeless):
    with http_receiver(status) as receiver, pytest.raises(DeliveryError, match=str(status)) as found:
        Webhook(receiver.url, private=True).send(PARCEL, NOW)
    assert found.value.hopeless is hopeless
    assert len(receiver.requests) == 1  # no redirect was followed


def test_a_receiver_that_hangs_is_left():
    with http_receiver(3.0) as receiver, pytest.raises(OSError, match=r"no answer within 0\.3 seconds"):
        Webhook(receiver.url, private=True, patience=0.3).send(PARCEL, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://metadata.google.internal/",
        "http://0.0.0.0/",
        "http://user:pass@example.com/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[64:ff9b::a9fe:a9fe]/",  # through NAT64
        "http://[fd00:ec2::254]/",
        "http://[fe80::1%lo]/",
        "http://100.100.100.200/",
        "http://METADATA.google.internal./",
        # 169.254.169.254 as one number, in hexadecimal, in octal, with fewer dots, in wide digits
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://\uff11\uff16\uff19.254.169.254/",
        # no URLs at all
        "http://[::1",
        "http://example.com:99999/",
        "http:///path",
        f"http://{'a' * 70}.example.com/",
    ],
)
@pytest.mark.parametrize("private", [True, False])
def test_addresses_that_only_machines_inside_can_mean_are_never_called(url, private):
    with pytest.raises(DeliveryError) as found:
        allowed_addresses(url, private=private)
    assert found.value.hopeless


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://10.0.0.1/", "http://[::1]/", "http://192.168.1.1:8080/x"])
def test_private_networks_are_called_only_when_that_is_allowed(url):
    assert len(allowed_addresses(url, private=True)) == 1
    with pytest.raises(DeliveryError, match="private network"):
        allowed_addresses(url, private=False)


def test_severities_are_told_to_mail_readers():
    with smtp_server() as box:
        plain_smtp(box.port).send(Parcel("k", "email", "a@b.c", Message("s", "t", severity=Severity.ERROR)), NOW)
    assert box.mails[0]["X-Priority"] == "1 (Highest)"
