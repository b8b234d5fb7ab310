"""Tells on stderr what takes its time: a spinner for people, lines for logs."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mita_otel.stack.model import Report


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Show reports while the block runs; stdout stays for results."""
    if sys.stderr.isatty():
        with _spinner(title) as report:
            yield report
    else:
        yield _lines()


def _lines() -> Report:
    began = time.monotonic()

    def report(line: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:5.0f} s] {line}\n")
        sys.stderr.flush()

    return report


@contextmanager
def _spinner(title: str) -> Iterator[Report]:
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only a terminal needs it
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)

        def report(line: str) -> None:
            bar.update(task, description=line)

        yield report
