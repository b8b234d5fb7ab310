"""`mita-otel demo`: everything together, with traffic, until Ctrl-C."""

import json
import signal
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from mita_otel import demo
from mita_otel.cli.progress import progress
from mita_otel.stack import Cache, StackError, build_all, default_cache, native_stack

_PAUSE = 0.2
"""Seconds between two requests: five a second are plenty to look at."""


def run(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Send a little traffic, check that all of it arrived, end.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout at the end.")] = False,
    requests: Annotated[int, typer.Option("--requests", min=1, help="Requests that --once sends.")] = 50,
) -> None:
    """Bring up the backends, the service and some traffic, and say where to look."""
    root = _checkout()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="mita-otel-demo-") as folder, progress("demo") as report:
            Path(folder).chmod(0o755)
            binaries = build_all(Cache(default_cache()), report=report)
            report("starting the collector and its backends")
            with (
                native_stack(Path(folder) / "stack", binaries) as stack,
                demo.running(Path(folder), stack.endpoints, root, report) as started,
            ):
                _show(started, once=once, as_json=as_json, requests=requests)
    except (demo.DemoError, StackError) as error:
        typer.echo(f"mita-otel demo: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("everything is down", err=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _checkout() -> Path:
    root = Path(__file__).parent.parent.parent
    if not (root / "app" / "main.py").exists():
        typer.echo("mita-otel demo: the reference service is not here; run it in a checkout of mita_otel", err=True)
        raise typer.Exit(1)
    return root


def _show(started: demo.Demo, *, once: bool, as_json: bool, requests: int) -> None:
    traffic = demo.Traffic(started.url)
    traffic.sign_up()
    for _ in range(requests):
        traffic.step()
    traffic.spend()
    trace_id = traffic.last_trace_id
    found = demo.verify(started, trace_id)
    queries = started.queries(trace_id)
    if once and as_json:
        sent = {str(status): count for status, count in sorted(traffic.sent.items())}
        typer.echo(json.dumps({"trace_id": trace_id, "sent": sent, "found": found, "queries": queries}))
        return
    typer.echo(f"the service answers at {started.url}/docs")
    for what, url in queries.items():
        typer.echo(f"{what:7} curl '{url}'")
    typer.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items()) + " of that request")
    while not once:
        traffic.step()
        time.sleep(_PAUSE)
