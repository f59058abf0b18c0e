"""`driftline alerts`, `driftline contacts` and `driftline audit`: how it stands, who is told, who changed what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from jobs.listings import print_rows, said_of
from jobs.options import one_of
from jobs.registries import registry

__all__ = ["list_alerts", "list_contacts", "show_audit"]


def list_alerts(url: str, space: str | None, monitor: str | None, state: str | None, *, as_json: bool) -> None:
    """How checks stand, those with an alert that goes on first."""
    from server.alerts import list_alerts
    from signals.alerting import AlertState

    one_of(state, AlertState)
    with registry(url, "default", reading=True) as held:
        found = list_alerts(held.session, space, monitor, AlertState(state) if state else None)
    rows = [asdict(each) if as_json else {**asdict(each), "value": _number(each.value)} for each in found]
    print_rows(rows, "no alert is known: checks have one once a server has evaluated them", as_json=as_json)


def list_contacts(url: str, space: str | None, *, as_json: bool) -> None:
    """Whom definitions name."""
    from server.contacts import list_contacts

    with registry(url, "default", reading=True) as held:
        found = list_contacts(held.session, space)
    missing = "does not exist: driftline integrations create"
    rows: list[dict[str, object]] = [
        {"contact": each.contact, "kind": each.kind, "monitors": list(each.monitors)}
        if as_json
        else {"contact": each.contact, "kind": each.kind or missing, "monitors": ", ".join(each.monitors)}
        for each in found
    ]
    print_rows(rows, "nobody is named: create_monitor.alert_notification.emails", as_json=as_json)


def show_audit(
    url: str,
    *,
    kind: str | None,
    name: str | None,
    actor: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """The latest changes first."""
    with registry(url, "default", reading=True) as held:
        found = held.audit(kind, name, actor=actor, since=since, limit=limit)
    rows = [
        {
            "at": each.at,
            "who": each.actor,
            "what": each.action,
            "kind": each.kind,
            "name": each.name,
            "before": each.before if as_json else said_of(each.before),
            "after": each.after if as_json else said_of(each.after),
        }
        for each in found
    ]
    print_rows(rows, "nothing was changed yet", as_json=as_json)


def _number(value: float | None) -> str | None:
    from engine.wording import number

    return None if value is None else number(value)
