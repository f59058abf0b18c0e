"""`driftline integrations …` and `driftline deliveries …`: where messages go, and what became of them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from jobs.consoles import err, out
from jobs.listings import print_rows
from jobs.options import one_of
from jobs.registries import opened_registry, registry
from jobs.times import now

if TYPE_CHECKING:
    from server.secrets import Vault

__all__ = ["Place", "create_place", "delete_place", "list_places", "retry_delivery", "show_deliveries", "test_place"]


@dataclass(frozen=True)
class Place:
    """What the command line says of an integration."""

    provider: str
    url: str | None
    allow_private: bool


def create_place(url: str, space: str, state: str, name: str, place: Place) -> None:
    """Keep a place; its secret comes from a prompt or from standard input."""
    from server.integrations import Provider, create_integration

    provider = place.provider
    one_of(provider, Provider)
    asked = "signing key (may be empty)" if provider == Provider.WEBHOOK else "Apprise URL"
    secret = _secret(asked)
    settings = {"url": place.url, "allow_private": place.allow_private} if provider == Provider.WEBHOOK else {}
    with registry(url, space) as held:
        create_integration(held, _vault(state), name, Provider(provider), secret=secret, settings=settings)
    out().print(f"{name} is kept; driftline integrations test {name} sends a message there")


def list_places(url: str, *, as_json: bool) -> None:
    """Every place without its secret."""
    from server.integrations import list_integrations

    with registry(url, "default") as held:
        rows = [
            {
                "integration": each.name,
                "provider": each.provider,
                "url": each.settings.get("url"),
                "created": each.created_at,
            }
            for each in list_integrations(held.session)
        ]
    print_rows(rows, "no integration yet: driftline integrations create", as_json=as_json)


def test_place(url: str, state: str, name: str) -> int:
    """Send a test, now, and show the answer; the exit code."""
    from server.errors import RegistryError
    from server.integrations import Post, test_message
    from server.outbox import DeliveryError, Parcel

    time = now()
    parcel = Parcel(f"test/{name}/{time.isoformat()}", "integration", name, test_message(name, time))
    try:
        answer = Post(opened_registry(url), _vault(state), None, time).send(parcel)
    except (DeliveryError, OSError) as error:
        err().print(Text.assemble(("✗ ", "bold red"), f"{name}: {error}"), soft_wrap=True)
        return RegistryError.exit_code
    out().print(Text.assemble(("✓ ", "bold green"), f"{name}: {answer}"), soft_wrap=True)
    return 0


def delete_place(url: str, name: str) -> None:
    """Forget a place."""
    from server.integrations import delete_integration

    with registry(url, "default") as held:
        delete_integration(held, name)
    out().print(f"{name} is deleted")


def show_deliveries(url: str, state: str | None, limit: int, *, as_json: bool) -> None:
    """The latest messages."""
    from server.outbox import DeliveryState, list_deliveries

    one_of(state, DeliveryState)
    with registry(url, "default") as held:
        rows = [
            {
                "delivery": each.id,
                "to": each.address,
                "subject": each.message["subject"],
                "state": each.state,
                "attempts": each.attempts,
                "created": each.created_at,
                "answer": each.answer,
            }
            for each in list_deliveries(held.session, state, limit)
        ]
    print_rows(rows, "no message yet" if state is None else f"no message is {state}", as_json=as_json)


def retry_delivery(url: str, number: int) -> None:
    """Put a dead message into the outbox again."""
    from server.outbox import retry_dead

    with registry(url, "default") as held:
        retry_dead(held.session, number, held.now)
        held.log("retry", "delivery", str(number), None, None)
    out().print(f"delivery {number} is queued")


def _secret(asked: str) -> str:
    if sys.stdin.isatty():
        return typer.prompt(asked, default="", hide_input=True, show_default=False, err=True)
    return sys.stdin.read().strip()


def _vault(state: str) -> Vault:
    from server.secrets import VARIABLE, Vault

    return Vault.opened(Path(state) / "secret.key", os.environ.get(VARIABLE))
