"""`mita-otel demo`: everything together, with traffic, until Ctrl-C."""

import json
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from mita_otel import demo
from mita_otel.cli.progress import progress
from mita_otel.stack import Cache, StackError, build_all, default_cache, native_stack
from mita_otel.stack.model import Report

_PAUSE = 0.2
"""Seconds between two requests: five a second are plenty to look at."""
_ARRIVAL_TIMEOUT = 60.0
"""Seconds for the last request to be found everywhere: the metrics of the service go out every 2 s."""


def run(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Send some traffic, check that it arrived and is linked, end with 0 or 1.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout; with --once.")] = False,
    seconds: Annotated[int, typer.Option("--seconds", min=1, max=3600, help="How long --once sends traffic.")] = 20,
    stack: Annotated[
        bool, typer.Option("--stack", help="The Collector and its backends in the place of the console.")
    ] = False,
    seed_data: Annotated[
        bool, typer.Option("--seed-data", help="Fill the database with half a year of fifty made-up households first.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", file_okay=False, help="Data and logs. [default: data/demo in the checkout]"),
    ] = None,
) -> None:
    """Bring up the console, databases, the reference service and some traffic, and say where to look."""
    root = _checkout()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as everything:
            started = _start(everything, folder, root, stack=stack, seed_data=seed_data)
            complete = _once(started, seconds, as_json=as_json) if once else _until_interrupted(started)
    except (demo.DemoError, StackError) as error:
        typer.echo(f"mita-otel demo: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("everything is down", err=True)
        return
    if not complete:
        waited = f"{_ARRIVAL_TIMEOUT:.0f} s after the last request"
        typer.echo(f"mita-otel demo: not everything has arrived {waited}", err=True)
        raise typer.Exit(1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _checkout() -> Path:
    root = Path(__file__).parent.parent.parent
    if not (root / "app" / "main.py").exists():
        typer.echo("mita-otel demo: the reference service is not here; run it in a checkout of mita_otel", err=True)
        raise typer.Exit(1)
    return root


def _start(everything: ExitStack, folder: Path | None, root: Path, *, stack: bool, seed_data: bool) -> demo.Demo:
    """Bring everything up, telling what takes its time; it goes down with `everything`."""
    with progress("demo") as report:
        place = everything.enter_context(demo.choose_folder(folder, root / "data" / "demo"))
        everything.enter_context(demo.only_demo(place))
        ports = demo.Ports.chosen()
        for sentence in ports.moved():
            report(sentence)
        backends = _backends(everything, place, report) if stack else None
        running = demo.running(place, root, ports, report, backends=backends, seed_data=seed_data)
        return everything.enter_context(running)


def _backends(everything: ExitStack, folder: Path, report: Report) -> demo.Backends:
    binaries = build_all(Cache(default_cache()), report=report)
    report("starting the collector and its backends")
    shutil.rmtree(folder / "stack", ignore_errors=True)  # each run tells of itself alone
    return demo.StackBackends(everything.enter_context(native_stack(folder / "stack", binaries)).endpoints)


def _once(started: demo.Demo, seconds: int, *, as_json: bool) -> bool:
    """Send traffic for a while, and tell what arrived of it; return whether everything is there and linked."""
    traffic = demo.Traffic(started.url)
    traffic.sign_up()
    traffic.tour()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        traffic.step()
        time.sleep(_PAUSE)
    traffic.spend()
    found = _arrived(started.backends, traffic.last_trace_id)
    totals = started.backends.totals()
    complete = found.linked and all(asdict(totals).values())
    report = {
        **asdict(totals),
        "linked": found.linked,
        "trace_id": traffic.last_trace_id,
        "found": asdict(found),
        "sent": {str(status): count for status, count in sorted(traffic.sent.items())},
        "queries": dict(started.backends.queries(traffic.last_trace_id)),
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        typer.echo(f"{totals.traces} traces, {totals.logs} log records, {totals.metrics} series")
        verdict = "linked to its log lines and exemplars" if found.linked else f"not linked: {found}"
        typer.echo(f"trace {traffic.last_trace_id}: {verdict}")
    return complete


def _arrived(backends: demo.Backends, trace_id: str) -> demo.Found:
    """Return what was found of a request as soon as all of it is there, or whatever is after a minute."""
    deadline = time.monotonic() + _ARRIVAL_TIMEOUT
    while not (found := backends.found(trace_id)).linked and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    return found


def _until_interrupted(started: demo.Demo) -> bool:
    from mita_otel.cli.summary import lines, table  # noqa: PLC0415 - slow to import, and --once needs none of it

    traffic = demo.Traffic(started.url)
    traffic.sign_up()
    traffic.tour()
    show = table if sys.stdout.isatty() else lines
    with show(started) as update:
        while True:
            traffic.step()
            update(traffic)
            time.sleep(_PAUSE)
