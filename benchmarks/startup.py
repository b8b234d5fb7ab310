"""Time from start to the first answer: mita_otel against vanilla opentelemetry-distro, same libraries, interleaved.

Run `python -m benchmarks.startup`; the distributions live in environments of their own under `data/benchmarks`, made at
the first run. Byte code is compiled before anything is timed, and the order of the variants is reversed each round.
"""

import argparse
import http.server
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "data" / "benchmarks"
CONTRIB = "0.66b1"
VANILLA = [
    f"opentelemetry-distro=={CONTRIB}",
    "opentelemetry-exporter-otlp==1.45.1",
    *(
        f"opentelemetry-instrumentation-{library}=={CONTRIB}"
        for library in ("fastapi", "sqlalchemy", "asyncpg", "redis", "httpx", "logging", "system-metrics")
    ),
]
PATIENCE = 60.0
"""Seconds for a start."""
GOAL = 1.1
"""Times vanilla's start: what a team should not notice when it switches."""


class _Sink(http.server.BaseHTTPRequestHandler):
    """Answers every OTLP request with success and reads nothing of it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sink() -> Iterator[str]:
    """Yield the endpoint of a healthy receiver."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environments() -> Mapping[str, Path]:
    """Make the three environments: bare, vanilla and ours, with the same libraries.

    The reference service counts its cache with us, so we are installed in all three; only in ours the launcher knows.
    """
    libraries = subprocess.run(
        [_uv(), "export", "--quiet", "--frozen", "--extra", "app", "--no-dev", "--no-emit-project", "--no-hashes"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    made = {}
    for name, extra in {"bare": [], "vanilla": VANILLA, "mita": []}.items():
        folder = FOLDER / name
        wanted = "\n".join((libraries, *extra, (ROOT / "pyproject.toml").read_text()))
        ready = folder / "ready"
        if not ready.exists() or ready.read_text() != wanted:
            print(f"making {folder.relative_to(ROOT)} ...", file=sys.stderr)
            _make(folder, libraries, [*extra, str(ROOT)])
            if name != "mita":
                for entry_points in folder.glob("lib/*/site-packages/mita_otel-*.dist-info/entry_points.txt"):
                    entry_points.unlink()
            ready.write_text(wanted)
        made[name] = folder / "bin"
    return made


def _make(folder: Path, libraries: str, extra: list[str]) -> None:
    subprocess.run([_uv(), "venv", "--quiet", "--clear", str(folder)], check=True)
    listed = folder / "libraries.txt"
    listed.write_text(libraries)
    python = str(folder / "bin" / "python")
    subprocess.run([_uv(), "pip", "install", "--quiet", "--python", python, "-r", str(listed), *extra], check=True)
    places = (str(folder / "lib"), str(ROOT / "app"), str(ROOT / "mita_otel"))
    subprocess.run([python, "-m", "compileall", "-q", *places], check=False)


def _uv() -> str:
    return shutil.which("uv") or str(Path(sys.prefix) / "bin" / "uv")


def command(name: str, programs: Path, program: list[str]) -> list[str]:
    """Return the command line of a variant."""
    first, *rest = program
    bare = [str(programs / first), *rest]
    return bare if name == "bare" else [str(programs / "opentelemetry-instrument"), *bare]


def environment(name: str, programs: Path, endpoint: str) -> dict[str, str]:
    """Return the environment of a variant: nothing inherited that telemetry reads."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "MITA_", "PYTHON"))}
    kept |= {
        "PATH": f"{programs}:{kept['PATH']}",
        "OTEL_SERVICE_NAME": name,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "PYTHONPATH": str(ROOT),
    }
    if name == "mita":
        kept |= {"MITA_STRICT": "1"}
    return kept


def first_answer(name: str, programs: Path, endpoint: str) -> float:
    """Return the seconds from start to the first answer of the reference service.

    Raises:
        RuntimeError: it ended, with its last words, or did not answer within a minute.
    """
    port = free_port()
    program = ["uvicorn", "app.main:app", "--port", str(port), "--log-level", "warning"]
    with tempfile.TemporaryFile() as words:
        started = time.perf_counter()
        process = subprocess.Popen(
            command(name, programs, program), cwd=ROOT, env=environment(name, programs, endpoint),
            stdout=subprocess.DEVNULL, stderr=words,
        )  # fmt: skip
        try:
            wait_until_it_answers(process, f"http://127.0.0.1:{port}/health")
            return time.perf_counter() - started
        except RuntimeError as error:
            words.seek(0)
            raise RuntimeError(f"{name}: {error}: {words.read().decode(errors='replace')[-500:]}") from error
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def wait_until_it_answers(process: subprocess.Popen[bytes], url: str) -> None:
    """Ask a service until it answers.

    Raises:
        RuntimeError: it ended, or did not answer within a minute.
    """
    deadline = time.perf_counter() + PATIENCE
    while process.poll() is None and time.perf_counter() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError("the service did not answer" if process.returncode is None else "the service has ended")


def empty_program(name: str, programs: Path, endpoint: str) -> float:
    """Return the seconds that a program takes which does nothing."""
    started = time.perf_counter()
    subprocess.run(
        command(name, programs, ["python", "-c", "pass"]), cwd=ROOT, env=environment(name, programs, endpoint),
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - started


def measure(measured: Callable[[str, Path, str], float], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each variant, a value a round, variants interleaved and their order reversed each round."""
    places = environments()
    seconds: dict[str, list[float]] = {name: [] for name in places}
    with sink() as endpoint:
        for name, programs in places.items():
            measured(name, programs, endpoint)
        for number in range(rounds):
            order = list(places.items())
            for name, programs in order if number % 2 else reversed(order):
                seconds[name].append(measured(name, programs, endpoint))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each variant (default 7)")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    options = parser.parse_args()
    results = {
        "first_answer": measure(first_answer, options.rounds),
        "empty_program": measure(empty_program, options.rounds),
    }
    if options.json:
        print(json.dumps(results))
        return
    for what, seconds in results.items():
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        for name, values in seconds.items():
            print(f"{what:14} {name:8} median {medians[name]:.3f} s  ({min(values):.3f} to {max(values):.3f})")
        print(f"{what:14} mita / vanilla = {medians['mita'] / medians['vanilla']:.3f} (goal: at most {GOAL})")


if __name__ == "__main__":
    main()
