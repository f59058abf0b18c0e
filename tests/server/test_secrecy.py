"""Secrets are where they are needed, and nowhere else."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest
import yaml

from engine.errors import DefinitionError
from jobs.checkup import Finding, looked
from jobs.server_checkups import server_checkups
from server.database import Database
from server.errors import RegistryError
from server.integrations import Provider, create_integration
from server.launcher import OWN_SECRETS
from server.queue import Task
from server.registry import Registry
from server.secrets import Vault
from server.settings import ServerKeys, read_settings
from tests.server.conftest import NOW
from tests.server.second_scheduler import ScriptLauncher


def test_a_run_inherits_no_secret_of_the_servers(tmp_path, monkeypatch):
    for name in (*OWN_SECRETS, "AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN"):
        monkeypatch.setenv(name, "CANARY")
    script = "import os; print('\\n'.join(sorted(name for name, it in os.environ.items() if it == 'CANARY')))"
    launched = ScriptLauncher("", tmp_path, script=script).start(Task(1, NOW, None, ("m",), 1), [])
    while launched.poll() is None:
        time.sleep(0.01)
    # What reads the data and writes the results it does need.
    assert Path(launched.log).read_text().split() == ["AWS_SECRET_ACCESS_KEY", "COMPONENT_TOKEN"]


@pytest.mark.parametrize(
    "name",
    [
        "spark.hadoop.fs.s3a.secret.key",
        "spark.hadoop.fs.s3a.access.key",
        "spark.hadoop.fs.azure.account.key.lake.dfs.core.windows.net",
        "spark.hadoop.fs.azure.account.oauth2.client.secret",
        "spark.ssl.keyPassword",
        "spark.authenticate.secret",
    ],
)
def test_a_secret_has_no_place_on_the_command_line_of_spark_submit(tmp_path, name):
    path = tmp_path / "server.yaml"
    path.write_text(f"launcher:\n  conf: {{{name}: CANARY}}\n")
    with pytest.raises(DefinitionError, match="would stand on spark-submit's command line") as found:
        read_settings(path, {})
    assert "CANARY" not in str(found.value)


def test_a_token_of_spark_connect_is_given_in_the_environment(tmp_path):
    (tmp_path / "server.yaml").write_text(
        "launcher: {remote: 'sc://spark.example.com:443/;use_ssl=true;token=CANARY'}\n"
    )
    with pytest.raises(DefinitionError, match="SPARK_CONNECT_AUTHENTICATE_TOKEN") as found:
        read_settings(tmp_path / "server.yaml", {})
    assert "CANARY" not in str(found.value)


@pytest.mark.parametrize("url", ["ada:CANARY@127.0.0.1:9/r", "ada@127.0.0.1:9/r?password=CANARY&sslpassword=CANARY"])
def test_a_password_is_not_shown_wherever_in_a_url_it_stands(url):
    database = Database(f"postgresql://{url}")
    with pytest.raises(RegistryError, match="refused") as found:
        database.check()
    assert "CANARY" not in f"{found.value} {database!r} {database.name}"


@pytest.mark.parametrize("url", ["postgresql://ada:CANARY", "://CANARY@", "mysql://a:CANARY@b/c"])
def test_what_is_no_url_is_not_repeated(url):
    with pytest.raises(RegistryError) as found:
        Database(url)
    assert "CANARY" not in str(found.value)


def test_where_a_secret_is_may_be_said(tmp_path):
    conf = {
        "spark.kubernetes.authenticate.oauthTokenFile": "/var/run/token",
        "spark.kubernetes.driver.secrets.store": "/etc/secrets",
        "spark.kubernetes.driver.secretKeyRef.AWS_SECRET_ACCESS_KEY": "store:key",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "com.example.Provider",
    }
    (tmp_path / "server.yaml").write_text(yaml.safe_dump({"launcher": {"conf": conf}}))
    assert read_settings(tmp_path / "server.yaml", {}).launcher.conf == conf


def test_doctor_finds_a_key_that_others_can_read_and_one_that_is_gone(database, database_url, tmp_path):
    settings = ServerKeys(database=database_url, state=str(tmp_path))
    vault = Vault.opened(tmp_path / "secret.key", None)

    def secrets() -> Finding:
        return {each.name: each for each in map(looked, server_checkups(settings))}["secrets"]

    assert secrets().said == "no integration has one"
    (tmp_path / "secret.key").chmod(0o640)
    assert "can be read by others: chmod 600" in secrets().said
    with database.session() as session:
        registry = Registry(session, "test", NOW)
        create_integration(registry, vault, "ops", Provider.WEBHOOK, secret="s", settings={"url": "http://a.example"})
    (tmp_path / "secret.key").unlink()
    assert (secrets().well, (tmp_path / "secret.key").exists()) == (False, False)


def test_a_registry_that_was_made_before_keeps_the_rights_that_somebody_gave_it(tmp_path):
    path = tmp_path / "registry.db"
    for expected in (0o600, 0o660):
        database = Database(str(path))
        database.upgrade()
        database.close()
        assert stat.S_IMODE(path.stat().st_mode) == expected
        path.chmod(0o660)
