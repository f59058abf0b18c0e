"""People are told of runs without a server: what began and what ended, once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.errors import DefinitionError
from engine.monitor import Monitor
from jobs.evaluate import evaluate_monitors
from jobs.notify import Notifier
from tests.server.receivers import smtp_server
from tests.tiny import MONITOR


def noisy(folder: Path, threshold: float) -> Monitor:
    """The tiny monitor with somebody to tell."""
    keys: dict[str, Any] = yaml.safe_load(MONITOR)
    create = keys["create_monitor"]
    create["alert_notification"] = {"emails": ["ada@example.com"]}
    create["monitoring_signals"]["drift"]["metric_thresholds"] = {
        "numerical": {"population_stability_index": threshold}
    }
    return Monitor.from_dict({**keys, "name": "noisy"}, folder)


def day(number: int) -> datetime:
    return datetime(2024, 3, number, 3, 15, tzinfo=UTC)


def test_a_run_mails_what_began_once_and_what_ended(tiny, spark, tmp_path):
    with smtp_server() as box:
        settings = tmp_path / "server.yaml"
        smtp = f"{{host: 127.0.0.1, port: {box.port}, security: none}}"
        settings.write_text(f"smtp: {smtp}\nlink: https://x.example/{{monitor}}\n")

        def run(number: int, threshold: float) -> None:
            store, notifier = str(tmp_path / "store"), Notifier(settings)
            monitors = [noisy(tiny.parent, threshold)]
            assert evaluate_monitors(monitors, day(number), store, lambda: spark, silent=True, notifier=notifier) == 0

        for number in (2, 2, 3):  # again, and the day after, which breaches too
            run(number, 0.1)
        assert [mail["Subject"] for mail in box.mails] == ["noisy: 1 check breached (amount)"]
        run(3, 100)
        assert box.mails[-1]["Subject"] == "noisy: 1 check recovered (amount)"
    text = box.mails[-1].get_body(("plain",)).get_content()
    assert "since 2 Mar 2024 03:15 UTC" in text
    assert "https://x.example/noisy" in text
    pictures = [part for part in box.mails[0].walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<picture>"]


def test_who_cannot_be_told_is_said_before_anything_is_evaluated(tiny, tmp_path):
    monitors = [Monitor.from_yaml(tiny)]
    with pytest.raises(DefinitionError, match="names nobody to notify"):
        evaluate_monitors(monitors, day(2), str(tmp_path), lambda: pytest.fail("evaluated"), notifier=Notifier(None))
    told = [noisy(tiny.parent, 0.1)]
    with pytest.raises(DefinitionError, match="where is mail handed over"):
        evaluate_monitors(told, day(2), str(tmp_path), lambda: pytest.fail("evaluated"), notifier=Notifier(None))
