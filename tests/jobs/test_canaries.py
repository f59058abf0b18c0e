"""One server, one run on Spark, messages that fail and arrive: each secret has a value that is then looked for
everywhere that people look: logs, tables, pages of Spark's, command lines of processes, answers, error texts.
"""

from __future__ import annotations

import base64
import json
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
import yaml
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from engine.store import Store
from jobs.cli import app
from server.limits import HEADER
from tests.conftest import free_port
from tests.jobs.test_serving import ROOT, wait_until_ready
from tests.server.receivers import http_receiver, smtp_server
from tests.tiny import MONITOR

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on loopback, in a test

CANARIES = {
    name: f"canary+{number}/{name.lower()}"
    for number, name in enumerate(
        (
            "DRIFTLINE_SMTP_PASSWORD", "PGPASSWORD", "OPENLINEAGE_API_KEY", "AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN",
            "SIGNING_KEY", "APPRISE_URL",
        )
    )
} | {"DRIFTLINE_SECRET_KEY": Fernet.generate_key().decode()}  # fmt: skip
OF_RUNS = {"AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN"}
KEPT = {"SIGNING_KEY", "APPRISE_URL"}
"""What is no variable, but is typed into `driftline integrations create`."""

COMPONENT = '''
import json, os
from pathlib import Path
from urllib.request import urlopen

def run(out, spark):
    """Keeps what can be seen of a run while it goes on, and fails with its token in the text."""
    context = spark.sparkContext
    pages = [
        urlopen(f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/{page}").read().decode()
        for page in ("environment", "allexecutors", "jobs")
    ]
    jvm = str(context._jvm.java.lang.System.getProperties())
    seen = {"conf": context.getConf().getAll(), "pages": pages, "jvm": jvm, "inherited": dict(os.environ)}
    Path(out).write_text(json.dumps(seen))
    raise ValueError(f"the service has refused {os.environ['TOKEN']}")
'''


def forms(secret: str) -> set[str]:
    """How a secret may be written down."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), json.dumps(secret)[1:-1]}


def leaked(text: str | bytes, *but: str) -> set[str]:
    """The names of those that are in a text."""
    raw = text.encode() if isinstance(text, str) else text
    return {
        name
        for name, secret in CANARIES.items()
        if name not in but and any(form.encode() in raw for form in forms(secret))
    }


@contextmanager
def command_lines() -> Generator[set[str]]:
    """The command lines of all processes that there are meanwhile."""
    seen, ended = set[str](), threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            for process in psutil.process_iter(["cmdline"]):
                seen.add("\0".join(process.info["cmdline"] or ()))

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    ended.set()
    thread.join()


class World:
    """A server in a folder, its receivers, and everything that was said."""

    def __init__(self, folder: Path, tiny: Path, receivers: ExitStack) -> None:
        self.folder, self.said = folder, list[str]()
        self.mailbox = receivers.enter_context(smtp_server(CANARIES["DRIFTLINE_SMTP_PASSWORD"]))
        # The webhook's receiver fails at first; each of the two refuses the test that is sent to it, too.
        self.hook, self.any, self.lineage = (
            receivers.enter_context(http_receiver(*codes)) for codes in ([500, 500], [500], [])
        )
        self.cmdlines = receivers.enter_context(command_lines())
        shutil.copytree(tiny.parent, folder / "conf", dirs_exist_ok=True)
        (folder / "conf" / "components").mkdir()
        (folder / "conf" / "components" / "looks.py").write_text(COMPONENT)
        (folder / "conf" / "tiny.yaml").write_text(self.monitor())
        self.port = free_port()
        (folder / "server.yaml").write_text(yaml.safe_dump(self.settings()))

    def monitor(self) -> str:
        definition = yaml.safe_load(MONITOR)
        signals = definition["create_monitor"]["monitoring_signals"]
        signals["drift"]["alert_enabled"] = True
        signals["looks"] = {
            "type": "custom",
            "component_id": "looks:run",
            "inputs": {"out": str(self.folder / "seen.json")},
            "connection": {"secret_config": {"TOKEN": "COMPONENT_TOKEN"}},
            "metric_thresholds": [{"metric_name": "none", "threshold": 1}],
        }
        definition["create_monitor"]["alert_notification"] = {
            "emails": ["ada@example.com"], "integrations": ["ops", "any"],
        }  # fmt: skip
        return yaml.safe_dump(definition)

    def settings(self) -> dict[str, object]:
        return {
            "http": {"port": self.port},
            "log": "json",
            "poll": 0.1,
            "smtp": {"host": "127.0.0.1", "port": self.mailbox.port, "security": "none", "user": "ada"},
            "openlineage": {"url": self.lineage.url},
            "policy": {"retries": {"most": 0}},
            "launcher": {
                "master": "local[1]",
                "conf": {
                    "spark.ui.enabled": "true", "spark.ui.port": str(free_port()), "spark.driver.host": "127.0.0.1",
                    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                    "spark.sql.shuffle.partitions": "2",
                },
            },
        }  # fmt: skip

    def command(self, *words: str, given: str | None = None, kept: bool = True) -> str:
        """What a command says."""
        result = CliRunner().invoke(app, list(words), input=given)
        if kept:
            self.said.append(result.output)
        return result.output

    @contextmanager
    def served(self) -> Generator[str]:
        words = [sys.executable, "-m", "jobs.cli", "serve", "--settings", "server.yaml"]
        with (self.folder / "said").open("wb") as said:
            process = subprocess.Popen(words, cwd=self.folder, stdout=said, stderr=subprocess.STDOUT)
            url = f"http://127.0.0.1:{self.port}"
            try:
                wait_until_ready(url, process)
                yield url
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0, (self.folder / "said").read_text()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[World]:
    """After a run that breached and failed in part, and its messages."""
    folder = tmp_path_factory.mktemp("canaries")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as receivers:
        patch.chdir(folder)
        patch.delenv("DRIFTLINE_STORE", raising=False)
        patch.setenv("PYTHONPATH", str(ROOT))
        for name, secret in CANARIES.items():
            if name not in KEPT:
                patch.setenv(name, secret)
        made = World(folder, tiny, receivers)
        told_of_a_run(made)
        yield made


def told_of_a_run(world: World) -> None:
    world.command("apply", "conf", "--yes")
    private = ("--url", world.hook.url, "--allow-private")
    world.command("integrations", "create", "ops", "--provider", "webhook", *private, given=CANARIES["SIGNING_KEY"])
    apprise = world.any.url.replace("http://", f"json://ada:{quote(CANARIES['APPRISE_URL'], safe='')}@")
    world.command("integrations", "create", "any", "--provider", "apprise", given=apprise)
    for name in ("ops", "any"):
        assert "500" in world.command("integrations", "test", name)
    # Keys are shown once, here.
    key = world.command("keys", "create", "prometheus", kept=False).split()
    CANARIES["API_KEY"] = next(word for word in key if word.startswith("driftline_"))
    world.command("runs", "retry", "tiny", "--at", "2024-03-03T03:15Z")
    with world.served() as url:
        wait_for(lambda: world.mailbox.mails and sent(world) >= 2)
        for secret in (CANARIES["API_KEY"], "driftline_wrong", None):
            for page in ("/metrics", "/readyz", "/nowhere"):
                answer = httpx.get(url + page, headers={HEADER: secret} if secret else {})
                world.said.append(f"{answer.status_code} {answer.headers} {answer.text}")
    for words in (
        "monitors show tiny", "runs list", "runs show tiny", "runs logs tiny", "deliveries list", "integrations list",
        "keys list", "export out", "doctor --settings server.yaml", "results --format json",
    ):  # fmt: skip
        world.command(*words.split())


def sent(world: World) -> int:
    rows = json.loads(world.command("deliveries", "list", "--format", "json"))
    return sum(row["state"] == "sent" for row in rows)


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + 180
    while not what():
        assert time.monotonic() < until
        time.sleep(0.5)


def test_everything_has_really_happened(world):
    """Or the other tests would look for what cannot be there."""
    text = "\n".join(world.said)
    assert "tiny: " in world.mailbox.mails[0]["Subject"]
    assert "component looks:run: ValueError" in text
    assert "the service has refused ***" in text
    assert world.lineage.requests
    assert world.any.requests
    assert json.loads((world.folder / "seen.json").read_text())["inherited"]["TOKEN"] == CANARIES["COMPONENT_TOKEN"]
    assert any("org.apache.spark.deploy.SparkSubmit" in line for line in world.cmdlines)


def test_no_log_file_or_table_has_a_secret(world):
    files = [path for path in world.folder.rglob("*") if path.is_file() and path.name != "seen.json"]
    assert {"registry.db", "said", "1-1.log"} <= {path.name for path in files}
    assert {path.name: leaked(path.read_bytes()) for path in files if leaked(path.read_bytes())} == {}
    store = Store(world.folder / ".driftline" / "store")
    tables = (store.read_runs(monitor="tiny"), store.read_metrics(monitor="tiny"))
    assert leaked("".join(str(table.to_pylist()) for table in tables)) == set()


def test_no_command_answer_or_message_has_a_secret(world):
    assert [text for text in world.said if leaked(text)] == []
    assert not any(leaked(mail.as_bytes()) for mail in world.mailbox.mails)
    assert not any(leaked(sent.body) for each in (world.hook, world.any, world.lineage) for sent in each.requests)


def test_no_process_has_a_secret_on_its_command_line(world):
    assert [line for line in world.cmdlines if leaked(line)] == []


def test_spark_shows_no_secret_and_a_run_inherits_only_what_it_needs(world):
    seen = json.loads((world.folder / "seen.json").read_text())
    assert "spark.driver.host" in dict(seen["conf"])
    assert "spark.driver.host" in seen["pages"][0]
    assert leaked(json.dumps([seen["conf"], seen["pages"]])) | leaked(seen["jvm"]) == set()
    inherited = {name for name, value in seen["inherited"].items() if leaked(value)}
    assert inherited == OF_RUNS | {"TOKEN"}


def test_what_a_server_makes_is_its_users_alone(world):
    modes = {
        name: stat.S_IMODE((world.folder / ".driftline" / name).stat().st_mode) for name in ("server", "registry.db")
    }
    assert modes == {"server": 0o700, "registry.db": 0o600}


def test_a_wrong_password_is_said_without_it(world, monkeypatch):
    monkeypatch.setenv("DRIFTLINE_SMTP_PASSWORD", wrong := "canary+wrong")
    said = world.command("doctor", "--settings", "server.yaml")
    assert "535" in said
    assert not leaked(said)
    assert not any(form in said for form in forms(wrong))


@pytest.mark.parametrize("where", ["environment", "command line"])
def test_a_database_that_cannot_be_reached_is_said_without_its_password(monkeypatch, where):
    url = f"postgresql://ada:canary%2Bdatabase@127.0.0.1:{free_port()}/registry"
    monkeypatch.setenv("DRIFTLINE_DATABASE", url if where == "environment" else "")
    monkeypatch.setenv("DRIFTLINE_COMPONENTS", "")  # `serve` sets it; with this it is undone after the test
    monkeypatch.setattr("jobs.serve._log", lambda **_: None)  # or all tests after this one would write a log
    option = ["--database", url] if where == "command line" else []
    for words in (["runs", "list"], ["monitors", "list"], ["doctor"], ["serve"]):
        said = CliRunner().invoke(app, [*words, *option])
        assert said.exit_code != 0
        assert ("postgresql" in said.output) is (where == "environment")
        assert ("no place on a command line" in " ".join(said.output.split())) is (where == "command line")
        assert "canary" not in said.output
