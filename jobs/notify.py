"""`driftline run --notify`: tell people of a run without a server, with the store as memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from engine.errors import DefinitionError, Problem
from jobs.consoles import err
from jobs.times import now

if TYPE_CHECKING:
    from engine.monitor import Monitor
    from engine.store import Store
    from server.channels.email import SmtpServer
    from server.notices import Check
    from server.settings import ServerKeys
    from signals.alerting import Standing

__all__ = ["Notifier"]

NOT_TOLD = 5
"""The exit code where somebody could not be told; see `jobs.exits`."""


@dataclass
class Notifier:
    """Tells of runs by e-mail.

    Attributes:
        settings: a server's settings, whose `smtp` says where mail is handed over.
    """

    settings: Path | None
    _before: dict[str, Mapping[Check, Standing]] = field(default_factory=dict)

    def remember(self, monitors: Sequence[Monitor], times: Sequence[datetime], store: Store) -> None:
        """Before anything is evaluated: how the checks stand.

        Raises:
            DefinitionError: there is nobody to tell, or no way to; better said before than after an hour's work.
        """
        from server.memory import remembered

        problems = [
            Problem(str(each.path or each.name), "create_monitor.alert_notification.emails", "names nobody to notify")
            for each in monitors
            if not each.emails
        ]
        if problems:
            raise DefinitionError(problems)
        self._smtp()
        self._before = {each.name: remembered(store, each, at) for each, at in zip(monitors, times, strict=True)}

    def tell(self, monitor: Monitor, time: datetime, store: Store) -> int:
        """Tell what there is to be told of a run; the exit code."""
        from server.messages import message_of
        from server.notices import notices_of
        from server.outbox import DeliveryError
        from server.picture import picture_of
        from server.rows import run_rows
        from server.telling import parcels_of

        found = run_rows(store, monitor.name, time)
        if found is None:
            return 0
        run, rows = found
        told = notices_of(monitor, run, rows, self._before[monitor.name]).told
        if not told:
            return 0
        message = message_of(monitor, run, told, link=self._keys().leads(), picture=picture_of(store, told))
        code = 0
        for parcel in parcels_of(monitor, message, time):
            if parcel.address not in monitor.emails:
                err().print(f"note: {parcel.address} is an integration, which a server tells: driftline serve")
                continue
            try:
                self._smtp().send(parcel, now())
                err().print(f"told {parcel.address}: {parcel.message.subject}", style="dim")
            except (DeliveryError, OSError) as error:
                err().print(
                    Text.assemble(("✗ ", "bold red"), f"{parcel.address} could not be told: {error}"), soft_wrap=True
                )
                code = NOT_TOLD
        return code

    def _keys(self) -> ServerKeys:
        from server.settings import read_settings

        return read_settings(self.settings, {})

    def _smtp(self) -> SmtpServer:
        from server.settings import SMTP_PASSWORD

        keys = self._keys().smtp
        if keys is None:
            where = str(self.settings) if self.settings else "--settings"
            hint = "smtp: {host: smtp.example.com, user: ada, sender: driftline@example.com}"
            raise DefinitionError([Problem(where, "smtp", "is missing: where is mail handed over?", hint)])
        return keys.server(os.environ.get(SMTP_PASSWORD))
