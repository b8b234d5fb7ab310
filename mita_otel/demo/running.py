"""Everything of the demonstration, up while a block runs."""

import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mita_otel.demo.backends import SERVICE, Backends, ConsoleBackends
from mita_otel.demo.ports import Ports
from mita_otel.demo.programs import Program, Programs
from mita_otel.installed import version
from mita_otel.stack.databases import Server, postgres_server, redis_server

Report = Callable[[str], None]

_LIMITS: Final = "login=200/900, login_account=200/900, token_refresh=200/300, api=100000/3600, upload=1000/3600"
"""Wider than the report's, for one user who does in an hour what hundreds do; logins still meet theirs in the end."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A demonstration that is up.

    Attributes:
        url: Base URL of the reference service.
        backends: Where its telemetry goes.
    """

    url: str
    backends: Backends


@contextmanager
def running(
    folder: Path,
    root: Path,
    ports: Ports,
    report: Report,
    *,
    backends: Backends | None = None,
    seed_data: bool = False,
    name: str = SERVICE,
) -> Iterator[Demo]:
    """Run databases, the stand-in for external APIs, the console and the service; everything ends with the block.

    Args:
        folder: Data and logs; what the databases hold there is used again.
        root: The checkout that holds `app`.
        ports: Where the programs listen.
        report: Told what happens.
        backends: Where telemetry goes in the place of the console.
        seed_data: Whether the database is filled with made-up households first.
        name: What the service calls itself in its telemetry.

    Raises:
        DemoError: a program does not start; the message holds the end of its log.
        StackError: a database does not start.
    """
    programs = Programs(folder, root)
    with ExitStack() as everything:
        # The slow starters first; what does not need another starts beside it.
        external = everything.enter_context(_external(programs, ports))
        console = None if backends else everything.enter_context(_console(programs, ports))
        report("starting PostgreSQL and Redis")
        database = everything.enter_context(postgres_server(folder / "postgres"))
        cache = everything.enter_context(redis_server(folder / "redis"))
        if seed_data:
            report("making up households")
            _fill(programs, database)
        report("starting the service: opentelemetry-instrument uvicorn app.main:app")
        if console is not None:
            page = f"http://127.0.0.1:{ports.console}"
            backends = ConsoleBackends(page, f"http://127.0.0.1:{ports.otlp_http}")
            console.wait_until_it_answers(f"{page}/api/console/status")
        assert backends is not None  # noqa: S101 - given, or just made
        service = everything.enter_context(_service(programs, ports, backends.otlp, database, cache, name=name))
        external.wait_until_it_answers(f"http://127.0.0.1:{ports.external}/openapi.json")
        service.wait_until_it_answers(f"http://127.0.0.1:{ports.service}/health")
        yield Demo(f"http://127.0.0.1:{ports.service}", backends)


def _external(programs: Programs, ports: Ports) -> AbstractContextManager[Program]:
    """Rates and insights of others, which fail or dawdle at times, as others do."""
    command = [sys.executable, "-m", "app.standin", "--port", str(ports.external)]
    behaviour = ["--error-rate", "0.05", "--latency", "1.2", "--latency-rate", "0.05"]
    return programs.started("external", [*command, *behaviour], {})


def _console(programs: Programs, ports: Ports) -> AbstractContextManager[Program]:
    data = programs.folder / "console"
    shutil.rmtree(data, ignore_errors=True)  # each run tells of itself alone
    command = [_program("mita-otel"), "console", "--folder", str(data), "--port", str(ports.console)]
    listeners = ["--otlp-http-port", str(ports.otlp_http), "--otlp-grpc-port", str(ports.otlp_grpc)]
    return programs.started("console", [*command, *listeners], {})


def _fill(programs: Programs, database: Server) -> None:
    with programs.started("seed", [sys.executable, "-m", "app.seed"], {"DATABASE_URL": database.url}) as seed:
        seed.wait_until_it_is_done()


def _service(
    programs: Programs, ports: Ports, otlp: str, database: Server, cache: Server, *, name: str
) -> AbstractContextManager[Program]:
    external = f"http://127.0.0.1:{ports.external}"
    variables: Mapping[str, str] = {
        "OTEL_SERVICE_NAME": name,
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name=demo,service.version={version('mita-otel')}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
        "DATABASE_URL": database.url,
        "REDIS_URL": cache.url,
        "RATES_API_URL": external,
        "INSIGHTS_API_URL": external,
        "MESSAGES_API_URL": external,
        "STORE_API_URL": external,
        "GOOGLE_OAUTH_URL": external,
        "GOOGLE_CLIENT_ID": "demonstration",
        "GOOGLE_CLIENT_SECRET": "demonstration",
        "PUBLIC_URL": f"http://127.0.0.1:{ports.service}",
        "BACKGROUND_SECONDS": "2",
        "MIGRATE_ON_START": "true",
        "JWT_SECRET": secrets.token_urlsafe(48),
        "MITA_RATE_LIMITS": _LIMITS,
        "MITA_SLO_REDIS_URL": cache.url,
        "MITA_SLO_FILE": str(programs.root / "collector" / "slo" / "mita.yaml"),
    }
    command = [_program("opentelemetry-instrument"), _program("uvicorn"), "app.main:app"]
    return programs.started("service", [*command, "--port", str(ports.service)], variables)


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)
