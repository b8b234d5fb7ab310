"""`mita-otel stack`: bring up the backends, look at them, take them down."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mita_otel.cli.progress import progress
from mita_otel.settings import environment
from mita_otel.stack import (
    NAMES,
    Cache,
    ComposeStack,
    NativeStack,
    StackError,
    Status,
    build_all,
    default_cache,
    engine_answers,
)
from mita_otel.stack.build import clean as clean_builds
from mita_otel.stack.build import programs
from mita_otel.stack.components import COLLECTOR_VARIABLES

app = typer.Typer(help="The collector and its backends on this machine.", no_args_is_help=True)


class Engine(StrEnum):
    """How the stack runs."""

    AUTO = "auto"
    COMPOSE = "compose"
    NATIVE = "native"


EngineOption = Annotated[
    Engine,
    typer.Option(
        "--engine", envvar="MITA_STACK_ENGINE", help="compose, native, or auto: compose where an engine answers."
    ),
]
FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        envvar="MITA_STACK_DIR",
        help="Data, logs and state of a native stack. [default: ~/.local/state/mita-otel/stack]",
        file_okay=False,
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="MITA_CACHE_DIR",
        help="Binaries and Go's caches, 11 GB after a build. [default: ~/.cache/mita-otel]",
        file_okay=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@app.command()
def up(
    *,
    engine: EngineOption = Engine.AUTO,
    folder: FolderOption = None,
    cache: CacheOption = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", help="A port that must be used, as in otlp_http=5318; native only, may be repeated."),
    ] = None,
    overlay: Annotated[
        list[str] | None,
        typer.Option("--overlay", help="tail-sampling, fsync, token or tls; native only, may be repeated."),
    ] = None,
    receivers: Annotated[
        Path | None,
        typer.Option(
            "--receivers",
            envvar="MITA_ALERT_RECEIVERS",
            help="Folder with the secrets of those who are told of alerts.",
            file_okay=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start the backends, and print where they are. Native ones are built first, which takes minutes once."""
    with _errors(), progress("starting") as report:
        if _uses_compose(engine):
            if port or overlay:
                raise StackError("--port and --overlay are for native stacks: add --engine native")
            compose = ComposeStack(receivers=receivers)
            compose.up(report)
            endpoints = compose.endpoints
        else:
            given = dict(_port(pair) for pair in port or ())
            overlays = tuple(_overlay(name) for name in overlay or ())
            build_all(_cache(cache), report)
            native = _native(folder, cache, overlays, receivers)
            native.up(given, report=report)
            endpoints = native.endpoints
    if as_json:
        _print_json(asdict(endpoints))
        return
    for name, url in asdict(endpoints).items():
        typer.echo(f"{name:16} {url}")
    typer.echo(f"\nexport OTEL_EXPORTER_OTLP_ENDPOINT={endpoints.otlp_grpc}")


@app.command()
def down(*, engine: EngineOption = Engine.AUTO, folder: FolderOption = None, cache: CacheOption = None) -> None:
    """Stop the backends; what they stored stays."""
    with _errors(), progress("stopping") as report:
        _chosen(engine, folder, cache).down(report)


@app.command()
def status(
    *,
    engine: EngineOption = Engine.AUTO,
    folder: FolderOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how each backend is; the exit code is 1 unless all are ready."""
    with _errors():
        rows = _chosen(engine, folder, cache).status()
    if as_json:
        _print_json([asdict(row) for row in rows])
    else:
        _show(rows)
    if any(row.state != "ready" for row in rows):
        raise typer.Exit(1)


@app.command()
def logs(
    *,
    names: Annotated[list[str] | None, typer.Argument(help="Components; all without any.")] = None,
    engine: EngineOption = Engine.AUTO,
    folder: FolderOption = None,
    cache: CacheOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of each log's last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines.")] = False,
) -> None:
    """Show the logs of the backends."""
    with _errors():
        wanted = tuple(_component(name) for name in names or NAMES)
        chosen = _chosen(engine, folder, cache)
        if isinstance(chosen, ComposeStack):
            command = chosen.logs(wanted, lines, follow=follow)
        else:
            command = _tail([chosen.folder / "logs" / f"{name}.log" for name in wanted], lines, follow=follow)
        os.execvp(command[0], command)  # noqa: S606 - hands the terminal over


@app.command()
def build(*, cache: CacheOption = None, as_json: JsonOption = False) -> None:
    """Build the native backends, or find that they are built."""
    with _errors(), progress("building") as report:
        found = build_all(_cache(cache), report)
    if as_json:
        _print_json({name: str(path) for name, path in found.items()})
        return
    for name, path in found.items():
        typer.echo(f"{name:16} {path}")


@app.command()
def clean(
    *,
    engine: EngineOption = Engine.AUTO,
    folder: FolderOption = None,
    cache: CacheOption = None,
    builds: Annotated[bool, typer.Option("--builds", help="Delete binaries and Go's caches too.")] = False,
) -> None:
    """Stop the backends and delete what they stored."""
    with _errors(), progress("deleting"):
        _chosen(engine, folder, cache).clean()
        if builds:
            clean_builds(_cache(cache))


def _chosen(engine: Engine, folder: Path | None, cache: Path | None) -> NativeStack | ComposeStack:
    return ComposeStack() if _uses_compose(engine) else _native(folder, cache)


def _uses_compose(engine: Engine) -> bool:
    if engine is Engine.COMPOSE and not engine_answers():
        raise StackError(
            "--engine compose: no container engine with compose answers; start one, or use --engine native"
        )
    return engine is Engine.COMPOSE or (engine is Engine.AUTO and engine_answers())


def _native(
    folder: Path | None, cache: Path | None, overlays: tuple[str, ...] = (), receivers: Path | None = None
) -> NativeStack:
    given = {name: value for name, value in environment().items() if name in COLLECTOR_VARIABLES}
    return NativeStack(
        folder or _default_folder(), programs(_cache(cache)), overlays=overlays, variables=given, receivers=receivers
    )


def _cache(given: Path | None) -> Cache:
    return Cache((given or default_cache()).absolute())


def _default_folder() -> Path:
    base = environment().get("XDG_STATE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".local" / "state") / "mita-otel" / "stack"


def _port(pair: str) -> tuple[str, int]:
    name, _, number = pair.partition("=")
    if not number.isdecimal():
        raise StackError(f"--port {pair}: give it as name=number, as in otlp_http=5318")
    return name, int(number)


def _overlay(name: str) -> str:
    known = {"tail-sampling", "fsync", "token", "tls"}
    if name not in known:
        raise StackError(f"--overlay {name}: there is no such overlay; there are {', '.join(sorted(known))}")
    if name == "token" and not environment().get("STACK_OTLP_TOKEN"):
        raise StackError("--overlay token: set STACK_OTLP_TOKEN to the token that clients must send")
    return name


def _component(name: str) -> str:
    if name not in {*NAMES, "grafana"}:
        raise StackError(f"there is no component {name!r}; there are {', '.join(NAMES)}")
    return name


def _tail(files: list[Path], lines: int, *, follow: bool) -> list[str]:
    there = [str(file) for file in files if file.exists()]
    if not there:
        raise StackError(f"no logs at {files[0].parent}: has the stack been started here?")
    return [shutil.which("tail") or "tail", "-n", str(lines), *(["-F"] if follow else []), "-v", *there]


def _print_json(document: object) -> None:
    import json  # noqa: PLC0415 - only some need it

    typer.echo(json.dumps(document, indent=2))


def _show(rows: tuple[Status, ...]) -> None:
    for row in rows:
        process = f"pid {row.pid}" if row.pid else ""
        typer.echo(f"{row.name:14} {row.state:9} {row.version:10} {row.url:28} {process}".rstrip())


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what went wrong into a sentence and an exit code; nobody who runs a command wants a traceback."""
    try:
        yield
    except StackError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted; what is finished stays, and the same command goes on from there", 130)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"mita-otel: {message}\n")
    raise typer.Exit(code)
