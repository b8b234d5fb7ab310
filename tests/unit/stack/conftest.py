"""Stand-ins for the backends: small programs that listen, answer and die like them."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mita_otel.stack.native import NativeStack, native_stack

_PROGRAM = """#!{python} -SE
import os, signal, sys, http.server
name = os.path.basename(sys.argv[0])
folder = os.path.dirname(os.path.abspath(sys.argv[0]))
variable = {{
    "otelcol-mita": "STACK_OTLP_HTTP_PORT", "jaeger": "STACK_JAEGER_HEALTH_PORT", "loki": "STACK_LOKI_PORT"
}}
address = [word.rpartition(":")[2] for word in sys.argv if word.startswith("--web.listen-address=")]
port = int(address[0] if address else os.environ[variable[name]])
print(name, "starts", flush=True)
if os.path.exists(os.path.join(folder, name + ".dies")):
    sys.exit("cannot open the store")
if os.path.exists(os.path.join(folder, name + ".stubborn")):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(repr(dict(os.environ)).encode())
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""


@pytest.fixture
def binaries(tmp_path: Path) -> dict[str, Path]:
    """The five programs, by name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    found = {name: folder / name for name in ("otelcol-mita", "jaeger", "prometheus", "loki", "alertmanager")}
    for program in found.values():
        program.write_text(_PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
    return found


@pytest.fixture
def stack(tmp_path: Path, binaries: dict[str, Path]) -> Iterator[NativeStack]:
    """A stack of stand-ins that is up."""
    with native_stack(tmp_path / "stack", binaries) as running:
        yield running


@pytest.fixture
def poll() -> Callable[[Callable[[], bool]], None]:
    """Wait until something is true, for ten seconds at most."""

    def until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "did not become true"
            time.sleep(0.02)

    return until
