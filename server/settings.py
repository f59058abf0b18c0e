"""How a server runs: a YAML file, with what the environment and the command line say instead."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from engine.definitions.document import Document, read_document
from engine.definitions.sentences import problems_of
from engine.definitions.shape import Complaint, Shape, key
from engine.definitions.words import FixedLength, Name, OneOf, Text, fixed_length
from engine.errors import DefinitionError
from server.channels.email import SmtpServer
from server.links import PLACES, Link
from server.policies import CatchUp, Overlap, Policy, Retries

__all__ = ["LauncherKeys", "ServerKeys", "SmtpKeys", "read_settings"]

SMTP_PASSWORD = "DRIFTLINE_SMTP_PASSWORD"
OPENLINEAGE_KEY = "OPENLINEAGE_API_KEY"
LOCAL = "local[*]"
SECRET = re.compile(
    r"(?!.*\.(?:secrets|secretKeyRef)\.).*(?:secret|password|token(?!.*provider)|(?:access|account)[._]?key)",
    re.IGNORECASE,
)
"""Names of Spark's settings with secrets, as Spark itself hides them in its pages, and keys of Azure's accounts; not
those that say in which of Kubernetes' secrets one is."""


class LauncherKeys(Shape):
    """On which Spark runs are evaluated."""

    master: Text | None = key(default=LOCAL, description="Spark's master; null: spark-submit's own default.")
    deploy_mode: Annotated[str, OneOf(("client", "cluster"))] | None = key(
        default=None, description="As spark-submit knows it."
    )
    remote: Text | None = key(default=None, description="A Spark Connect server (`sc://host:port`), and no master.")
    conf: dict[str, Text] = key(default_factory=dict, description="Settings of Spark's.")

    def complaints(self) -> Iterator[Complaint]:
        if self.remote and self.master not in {None, LOCAL}:
            yield Complaint(("master",), "cannot go with remote", "keep one of them")
        if self.remote and self.deploy_mode:
            yield Complaint(("deploy_mode",), "cannot go with remote", "keep one of them")
        if "token=" in (self.remote or ""):
            yield Complaint(("remote",), "holds a token", "give it as SPARK_CONNECT_AUTHENTICATE_TOKEN instead")
        if self.remote and self.conf:
            yield Complaint(("conf",), "cannot go with remote", "these are settings of the Connect server's own")
        if self.deploy_mode == "cluster" and (self.master or "").startswith(("local", "spark:")):
            yield Complaint(
                ("deploy_mode",), f"cannot be cluster with {self.master}: Spark runs no Python driver there", "client"
            )
        for name, value in self.conf.items():
            if SECRET.match(name) and not value.startswith("/"):  # a file's path is none
                hint = "give it in the environment, or in conf/spark-defaults.conf of Spark's own"
                yield Complaint(("conf", name), "is a secret, and would stand on spark-submit's command line", hint)


class RetryKeys(Shape):
    """What follows a run that failed."""

    most: int = key(default=3, ge=0, description="Tries after the first one.")
    first: FixedLength = key(default="PT1M", description="The wait after the first failure; then twice as long.")
    longest: FixedLength = key(default="PT1H", description="But never longer than this.")


class PolicyKeys(Shape):
    """What happens to runs that are late, that fail, or whose predecessor goes on."""

    catch_up: Annotated[str, OneOf(tuple(CatchUp))] = key(
        default="all", description="Of times that were missed: `all` (the oldest first), the `latest`, or `none`."
    )
    catch_up_most: int = key(default=100, ge=1, description="At most so many of them: the latest ones.")
    max_concurrent_runs: int = key(default=1, ge=1, le=1000, description="Runs that go on at once in this process.")
    overlap: Annotated[str, OneOf(tuple(Overlap))] = key(
        default="wait", description="While the model's previous run goes on: `wait`, start in `parallel`, or `skip`."
    )
    time_limit: FixedLength = key(default="PT2H", description="After this a run is ended.")
    retries: RetryKeys = key(default=RetryKeys(), description="What follows a failure.")

    def policy(self) -> Policy:
        """The policy that is meant."""
        retries = Retries(self.retries.most, fixed_length(self.retries.first), fixed_length(self.retries.longest))
        return Policy(
            catch_up=CatchUp(self.catch_up),
            most=self.catch_up_most,
            overlap=Overlap(self.overlap),
            time_limit=fixed_length(self.time_limit),
            retries=retries,
        )


class SmtpKeys(Shape):
    """Where e-mail is handed over. The password comes from the environment: `DRIFTLINE_SMTP_PASSWORD`."""

    host: Name = key(description="The server.")
    port: int = key(default=587, ge=1, le=65535, description="Its port.")
    security: Annotated[str, OneOf(("starttls", "tls", "none"))] = key(
        default="starttls", description="`starttls`, `tls` from the first byte on, or `none`."
    )
    user: Text | None = key(default=None, description="Who logs in.")
    sender: Name = key(default="driftline@localhost", description="The address that mail comes from.")

    def server(self, password: str | None) -> SmtpServer:
        """The server that is meant."""
        return SmtpServer(self.host, self.port, self.security, self.user, password, self.sender)


class HttpKeys(Shape):
    """Where the server answers: `/healthz` and `/readyz` anybody, everything else those with a key."""

    host: Name = key(default="127.0.0.1", description="The address; only this machine's own unless you say so.")
    port: int = key(default=8733, ge=1, le=65535, description="The port.")
    proxies: tuple[Name, ...] = key(
        default=(), description="Addresses of proxies: whose requests those are, their X-Forwarded-For says."
    )
    largest_body: int = key(default=1_000_000, ge=0, le=100_000_000, description="Bytes of a request's body.")
    connections: int = key(default=200, ge=2, le=10_000, description="At a time; from one address half of them.")
    patience: FixedLength = key(
        default="PT10S", description="Within this a client has to have said what it wants, and to read what it got."
    )
    requests_per_minute: int = key(
        default=600, ge=1, description="Of a key; of those without a key that is right, from one address."
    )
    wrong_keys_per_minute: int = key(default=30, ge=1, description="So many keys may be tried from one address.")


class LineageKeys(Shape):
    """Where OpenLineage's events of each run go: to a file, or to a URL. Its key comes from `OPENLINEAGE_API_KEY`."""

    file: Text | None = key(default=None, description="A file that lines of JSON are appended to.")
    url: Text | None = key(
        default=None, description="Where events are posted: `http://marquez.example.com:5000/api/v1/lineage`."
    )
    namespace: Name = key(default="driftline", description="The namespace of the jobs, which are named as monitors.")

    def complaints(self) -> Iterator[Complaint]:
        if bool(self.file) == bool(self.url):
            yield Complaint((), "needs either a file or a url", "keep one of them")


class ServerKeys(Shape):
    """`driftline serve`."""

    store: Text = key(default=".driftline/store", description="Where results are kept.")
    database: Text = key(
        default=".driftline/registry.db", description="The registry: a SQLite file, or a PostgreSQL URL."
    )
    state: Name = key(
        default=".driftline/server", description="A folder for definitions in use, logs and the secret key."
    )
    room: int = key(
        default=100_000_000, ge=0, description="Bytes that have to be free where runs write; with less they wait."
    )
    components: tuple[Name, ...] = key(
        default=("components",),
        description="Folders that components may be imported from; relative ones are beside `assets.yaml`.",
    )
    launcher: LauncherKeys = key(default=LauncherKeys(), description="On which Spark.")
    policy: PolicyKeys = key(default=PolicyKeys(), description="The late, the failed, the overlapping.")
    http: HttpKeys | None = key(default=HttpKeys(), description="Where it answers; null: nowhere.")
    log: Annotated[str, OneOf(("text", "json"))] = key(default="text", description="How log lines are written.")
    smtp: SmtpKeys | None = key(default=None, description="Where e-mail is handed over; without it there is none.")
    link: Text | None = key(
        default=None,
        description="Where messages lead: `https://grafana.example.com/d/drift?var-monitor={monitor}&to={time}`. "
        f"Places: {', '.join(f'`{{{each}}}`' for each in PLACES)}; `{{signal}}` is the worst check's.",
    )
    openlineage: LineageKeys | None = key(
        default=None, description="Where events of each run go, for a catalogue of data; without it nowhere."
    )
    poll: Annotated[float, Field(gt=0, le=60)] = key(default=1.0, description="Seconds between two steps.")

    def complaints(self) -> Iterator[Complaint]:
        try:
            self.leads()
        except ValueError as error:
            yield Complaint(("link",), str(error), "https://grafana.example.com/d/drift?var-monitor={monitor}")

    def leads(self) -> Link | None:
        """Where messages lead; None: nowhere."""
        return Link(self.link) if self.link else None


def read_settings(path: Path | None, given: Mapping[str, Any]) -> ServerKeys:
    """The settings of a file, with what else is given in place of what it says.

    Raises:
        DefinitionError: with every problem of the file at once.
    """
    document = read_document(path.absolute(), os.path.relpath(path)) if path else Document("options", Path.cwd(), {})
    if document.problems or document.data is None:
        raise DefinitionError(document.problems)
    try:
        return ServerKeys.model_validate({**document.data, **{name: value for name, value in given.items() if value}})
    except ValidationError as error:
        raise DefinitionError(problems_of(error, document)) from None
