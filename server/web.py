"""What the server answers over HTTP: is it alive, is it ready, how does it do. GraphQL and the pages join it later.

Nothing but the two questions that orchestrators ask is answered without a key.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.database import Database
from server.errors import RegistryError
from server.keys import Role, key_of
from server.limits import HEADER, KNOWN
from server.metrics import exposition
from server.pulse import Pulse

__all__ = ["application"]

STALE = 60.0
"""Seconds without a step after which a server is not ready: whatever it waits for, it evaluates nothing."""

Clock = Callable[[], datetime]
Answer = Callable[[Request], Awaitable[Response]]


def application(database: Database, pulse: Pulse, clock: Clock) -> Starlette:
    """The ASGI application."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        age = None if pulse.at is None else (clock() - pulse.at).total_seconds()
        ready = pulse.well and age is not None and age < STALE
        status = "ready" if ready else "the scheduler waits" if age is None or pulse.well else "the last step failed"
        return JSONResponse({"status": status, "seconds_since_step": age}, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        timetable = pulse.timetable
        if timetable is None:
            return JSONResponse({"error": "not ready yet"}, 503)
        text = await run_in_threadpool(exposition, database, clock(), timetable.next_due(), pulse.loaded)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", _keyed(metrics, Role.VIEWER, database, clock)),
        ],
        exception_handlers={RegistryError: _unreachable},
    )


def _keyed(answer: Answer, role: Role, database: Database, clock: Clock) -> Answer:
    """Answers those whose key has the role."""

    def role_of(secret: str) -> str | None:
        with database.session() as session:
            held = key_of(session, secret, clock())
            return held.role if held else None

    async def asked(request: Request) -> Response:
        secret = request.headers.get(HEADER)
        found = await run_in_threadpool(role_of, secret) if secret else None
        if found is None:
            return JSONResponse({"error": f"a key is needed in the header {HEADER}: driftline keys create"}, 401)
        setattr(request.state, KNOWN, True)
        if not Role(found).may(role):
            return JSONResponse({"error": f"the key's role is {found}, and {role} is needed"}, 403)
        return await answer(request)

    return asked


async def _unreachable(_: Request, error: Exception) -> Response:
    del error  # its text names the database, which is not the caller's business
    return JSONResponse({"error": "the registry cannot be reached"}, 503)
