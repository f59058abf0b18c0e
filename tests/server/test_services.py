"""What Slack, Teams, PagerDuty and others are really sent: all that matters, as they take it, and a picture."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.pagerduty import PAGERDUTY_API_LOOKUP
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.channels.apprise_services import AppriseService
from server.channels.fitting import as_markdown, fitted, harmless
from server.message import Message
from server.outbox import Parcel
from tests.server.conftest import NOW
from tests.server.receivers import HttpReceiver, http_receiver

LINK = "https://x.example/d?a=1&b=2"
LAST = f"{LINK}\ndriftline explain flights --at 2013-07-02T03:15Z"
FIRST = "• null_value_rate_x · psi: 0.9 > 0.1"
LONG = f"flights · due\n\nBreached now (300)\n{FIRST}\n" + "    since this run\n" * 300 + f"\n{LAST}\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 100
HOOK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23ops?footer=no"
BOT = "slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/%23ops"


def parcel(text: str, **fields: Any) -> Parcel:
    return Parcel("k", "integration", "chat", Message("flights: 1 check breached (<b> & _x_)", text, **fields))


@pytest.fixture
def receiver(monkeypatch) -> Generator[HttpReceiver]:
    """Where all of them are."""
    with http_receiver() as found:
        for service, name, suffix in (
            (NotifySlack, "webhook_url", ""),
            (NotifySlack, "api_url", "/{}"),
            (NotifyDiscord, "notify_url", ""),
            (NotifyTelegram, "notify_url", "/bot"),
        ):
            monkeypatch.setattr(service, name, found.url + suffix)
        for region in PAGERDUTY_API_LOOKUP:
            monkeypatch.setitem(PAGERDUTY_API_LOOKUP, region, found.url)
        for service in (NotifySlack, NotifyDiscord, NotifyTelegram):
            monkeypatch.setattr(service, "request_rate_per_sec", 0)  # nobody counts here
        yield found


def sent(receiver: HttpReceiver) -> list[Any]:
    return [json.loads(each.body) for each in receiver.requests]


def test_slack_gets_the_text_as_text_and_no_value_of_the_data_calls_anybody(receiver):
    receiver.says = b"ok"
    AppriseService("slack", HOOK).send(parcel(f"<!channel> <@U1> @everyone *x* < 10 & more\n\n{LAST}"))
    (got,) = sent(receiver)
    (attachment,) = got["attachments"]
    assert (got["mrkdwn"], attachment["title"]) == (False, "flights: 1 check breached (&lt;b&gt; &amp; _x_)")
    shown = attachment["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert "<!" not in attachment["text"]
    assert shown == f"<!channel> <@\u200bU1> @\u200beveryone *x* < 10 & more\n\n{LAST}"


def test_a_slack_bot_sends_the_picture_too_and_a_hook_takes_none(receiver):
    upload = f"{receiver.url}/upload"
    receiver.says = json.dumps({"ok": True, "channel": "C1", "upload_url": upload, "file_id": "F1"}).encode()
    AppriseService("slack", BOT).send(parcel("text", picture=PICTURE, alt="distance: 0.4 > 0.1"))
    paths = [each.path.partition("?")[0].removeprefix("/hook/") for each in receiver.requests]
    files = ["files.getUploadURLExternal", "upload", "files.completeUploadExternal"]
    assert paths == ["chat.postMessage", "chat.postMessage", *files]
    assert PICTURE in receiver.requests[3].body
    assert json.loads(receiver.requests[1].body)["attachments"][0]["text"] == "distance: 0.4 &gt; 0.1"
    receiver.requests.clear()
    receiver.says = b"ok"
    AppriseService("slack", HOOK).send(parcel("text", picture=PICTURE))
    assert len(receiver.requests) == 1


def test_a_slack_bot_that_may_write_no_files_sends_the_text_once(receiver, caplog):
    receiver.answers = [200, 200, 403]
    receiver.says = b'{"ok": true, "channel": "C1"}'
    assert AppriseService("slack", BOT).send(parcel("text", picture=PICTURE, alt="a")) == "taken by Slack"
    texts = [each["attachments"][0]["text"] for each in sent(receiver)[:2]]
    assert texts == ["text", "a"]
    assert "files:write" in caplog.text


def test_discord_and_telegram_get_the_picture_and_the_text_as_it_is(receiver):
    receiver.says = b'{"ok": true, "result": {"message_id": 1}}'
    text = f"{FIRST}\n@everyone\n\n{LAST}"
    shown = {"picture": PICTURE, "alt": "distance: 0.4 > 0.1"}
    AppriseService("apprise", f"discord://{'1' * 18}/{'b' * 64}").send(parcel(text, **shown))
    AppriseService("apprise", "tgram://123456789:abcdefg_hijklmnop/12315544/").send(parcel(text, picture=PICTURE))
    said, caption, file, photo = receiver.requests
    assert FIRST in json.loads(said.body)["content"]
    assert "@everyone" not in json.loads(said.body)["content"]
    assert json.loads(caption.body)["content"] == "distance: 0.4 > 0.1"
    assert PICTURE in file.body
    assert PICTURE in photo.body
    assert b"&lt;b&gt; &amp; _x_" in photo.body  # Telegram refuses what it cannot read as HTML
    assert b"0.9 &gt; 0.1" in photo.body


@pytest.mark.parametrize(
    ("url", "most"),
    [("tgram://123456789:abcdefg_hijklmnop/12315544/", 4096), (f"discord://{'1' * 18}/{'b' * 64}", 2000)],
)
def test_what_is_too_long_for_a_service_keeps_the_worst_and_the_link(receiver, url, most):
    receiver.says = b'{"ok": true}'
    AppriseService("apprise", url).send(parcel(LONG))
    (got,) = sent(receiver)
    shown = (got.get("content") or got["text"]).replace("&gt;", ">").replace("&amp;", "&")
    assert len(shown) <= most
    assert FIRST in shown
    assert "lines more" in shown
    assert all(line in shown for line in LAST.splitlines())


def test_pagerduty_gets_a_summary_of_a_line_the_link_and_everything_to_unfold(receiver):
    AppriseService("pagerduty", "pagerduty://key@api?%2Bteam=ops").send(parcel(LONG, link=LINK, thread="flights"))
    (got,) = sent(receiver)
    assert got["payload"]["summary"] == "flights: 1 check breached (<b> & _x_)"
    assert got["payload"]["custom_details"] == {"team": "ops", "message": LONG}
    assert got["links"] == [{"href": LINK}]
    assert (got["client"], "images" in got) == ("driftline", False)


# ------------------------------------------------------------------------------------------------------------- Teams


@pytest.fixture(scope="module")
def tls(tmp_path_factory) -> ssl.SSLContext:
    """A certificate of our own for 127.0.0.1."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    until = NOW + timedelta(days=9_999)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW, until)
    made = builder.sign(key, hashes.SHA256())
    (folder / "cert").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    return context


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # to ourselves, on loopback
@pytest.mark.parametrize("text", [f"flights · due\n\n{FIRST}\n    since this run\n\n{LAST}\n", LONG])
def test_teams_shows_each_line_on_its_own_and_all_that_matters(tls, text):
    with http_receiver(tls=tls) as receiver:
        url = receiver.url.replace("https", "workflows").replace("/hook", "/flow/signature?verify=no")
        AppriseService("teams", url).send(parcel(text))
    (card,) = [each["content"] for each in sent(receiver)[0]["attachments"]]
    title, body = (block["text"] for block in card["body"])
    assert title == "flights: 1 check breached (<b> & _x_)"
    assert body.split("\n\n")[-2:] == LAST.splitlines()
    assert "**null_value_rate_x · psi: 0.9 > 0.1**\n\n- since this run" in body
    assert len(body) <= 1_000


# ------------------------------------------------------------------------------------------------------ cut to length


@pytest.mark.parametrize("most", range(60, 400, 7))
def test_a_text_that_is_cut_is_never_too_long_and_ends_as_it_did(most):
    text = "\n".join(f"line {number}" for number in range(100)) + "\n\nthe last words\nof all\n"
    cut = fitted(text, most)
    assert len(cut) <= most
    assert cut.endswith("\n\nthe last words\nof all")
    kept = cut.splitlines()[:-4]
    assert kept == [f"line {number}" for number in range(len(kept))]
    assert f"… and {100 - len(kept)} lines more" in cut


def test_a_text_that_fits_stays_and_one_long_line_is_cut_in_itself():
    assert fitted("a\n\nb\n", 4) == "a\n\nb"
    cut = fitted("x" * 1_000 + "\n\nlast", 100)
    assert (len(cut) <= 100, cut[:3], cut[-6:]) == (True, "xxx", "\n\nlast")
    assert fitted("x" * 1_000, 100) == "x" * 99 + "…"


def test_mentions_are_broken_and_links_are_not():
    assert harmless("@all of us\nhttps://a@b.example/@c") == "@\u200ball of us\nhttps://a@b.example/@c"
    assert as_markdown("a\n\n• b: 1\n    c\n") == "a\n\n**b: 1**\n\n- c"
