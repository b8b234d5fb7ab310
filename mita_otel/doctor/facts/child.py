"""Starts a process under the launcher, as a service would be started, and asks it what it is."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from mita_otel.doctor.facts.model import Process
from mita_otel.redaction import redact_text

TIMEOUT: Final = 60.0
"""Seconds for the start and the imports of an application; a large one on a busy machine takes ten."""

_OUTPUT_LIMIT: Final = 64 * 1024
"""Characters of the output, its last ones, that are looked at."""

_SILENT: Final = {
    # It is there to be looked at, not to be heard of.
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
}
_LAUNCH: Final = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
_OURS: Final = "mita_otel: "
_EXCEPTION: Final = re.compile(r"(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Exit)\b.*")


def look_inside(variables: Mapping[str, str], application: str) -> Process:
    """Start a process with the variables given, which imports the application if there is one.

    Args:
        variables: the whole environment of the process; where telemetry goes is overridden by nowhere.
        application: an import string, or nothing.
    """
    with tempfile.TemporaryDirectory(prefix="mita-otel-doctor-") as folder:
        answer = Path(folder) / "process.json"
        arguments = ["-m", "mita_otel.doctor.facts.inside", str(answer), *([application] if application else [])]
        status, output = _run([sys.executable, *arguments], {**variables, **_SILENT}, Path(folder) / "output")
        if not answer.exists():
            return Process(ours=False, failure=_failure(status, output))
        process: Process = TypeAdapter(Process).validate_json(answer.read_bytes())
    return process


def _run(command: list[str], variables: dict[str, str], output: Path) -> tuple[int | None, str]:
    """Return exit status (None when it took too long) and output of a command under the launcher."""
    # Into a file: whatever it has started would hold a pipe open.
    with output.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *command],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    status: int | None = None
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = child.wait(TIMEOUT)
    finally:
        # What the application has started must not outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return status, output.read_text(errors="replace")[-_OUTPUT_LIMIT:]


def _failure(status: int | None, output: str) -> str:
    """Say in a line why a process ended without an answer."""
    if status is None:
        return f"it had not started after {TIMEOUT:.0f} s"
    return f"it ended with status {status}: {redact_text(last_words(output))}"


def last_words(output: str) -> str:
    """Return what an output says best about what went wrong: our own complaints, an exception, its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    ours = [line.removeprefix(_OURS) for line in lines if line.startswith(_OURS)]
    exceptions = [line for line in lines if _EXCEPTION.match(line)]
    return "; ".join(dict.fromkeys(ours)) or next(iter([*exceptions[-1:], *lines[-1:]]), "it said nothing")
