"""Programs under a launcher, as a shell would start them."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAMS = Path(sys.prefix) / "bin"


def launch(
    *words: str, launcher: str = "mita-instrument", folder: str | Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with no other settings of telemetry than these, and no exporters."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "MITA_"))}
    silent = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    return subprocess.run(
        [str(PROGRAMS / launcher), *words],
        cwd=folder,
        env={**kept, **silent, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
