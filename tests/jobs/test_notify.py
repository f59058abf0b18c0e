"""People are told of runs without a server: what began and what ended, once."""

from __future__ import annotations

import yaml

from tests.jobs.conftest import MONITOR
from tests.server.receivers import smtp_server


def test_a_run_mails_what_began_once_and_what_ended(driftline, tiny, spark, tmp_path):
    folder = tiny.parent
    keys = yaml.safe_load(MONITOR)
    keys["name"] = "noisy"
    keys["create_monitor"]["alert_notification"] = {"emails": ["ada@example.com"]}
    file = folder / "noisy.yaml"
    file.write_text(yaml.safe_dump(keys))
    with smtp_server() as box:
        settings = tmp_path / "server.yaml"
        settings.write_text(f"smtp: {{host: 127.0.0.1, port: {box.port}, security: none}}\n")

        def run(day: int) -> None:
            result = driftline("run", file, "--at", f"2024-03-0{day}T03:15Z", "--notify", "--settings", settings)
            assert result.exit_code == 0, result.output

        for day in (2, 2, 3):  # again, and the day after, which breaches too
            run(day)
        assert [mail["Subject"] for mail in box.mails] == ["noisy: 1 check breached (amount)"]
        keys["create_monitor"]["monitoring_signals"]["drift"]["metric_thresholds"] = {
            "numerical": {"population_stability_index": 100}
        }
        file.write_text(yaml.safe_dump(keys))
        run(3)
        assert box.mails[-1]["Subject"] == "noisy: 1 check recovered (amount)"
    assert "since 2 Mar 2024 03:15 UTC" in box.mails[-1].get_body(("plain",)).get_content()


def test_who_cannot_be_told_is_said_before_anything_is_evaluated(driftline, tiny):
    result = driftline("run", tiny, "--at", "2024-03-02T03:15Z", "--notify")
    assert result.exit_code == 2
    assert "names nobody to notify" in result.output
