"""The real collector and its real backends, once a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mita_otel.stack import Cache, NativeStack, build_all, default_cache, native_stack
from tests.fixtures.servers import open_folder
from tests.stack.demonstration import Shown, show
from tests.stack.hurried import USUALLY, hurry
from tests.stack.otlp import Backends


@pytest.fixture(scope="session")
def binaries() -> dict[str, Path]:
    """Every program of the stack, built if it is not."""
    return build_all(Cache(default_cache()))


@pytest.fixture(scope="session")
def stack(binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeStack]:
    """The stack on free ports in a folder of its own; span metrics flushed every second, and looked at every two."""
    variables = {"STACK_SPAN_METRICS_INTERVAL": "1s"}
    with native_stack(tmp_path_factory.mktemp("stack"), binaries, variables=variables) as running:
        hurry(running, *USUALLY)
        yield running


@pytest.fixture(scope="session")
def shown(stack: NativeStack) -> Iterator[Shown]:
    """The demonstration, over: its telemetry is in the stack, and nothing of it runs any more."""
    with open_folder("demo") as folder:
        folder.chmod(0o755)
        yield show(stack, folder)


@pytest.fixture
def backends(stack: NativeStack) -> Backends:
    """Sending and asking, with everything up again whatever an earlier test did."""
    stack.up(standard=False)
    return Backends(stack.endpoints)
