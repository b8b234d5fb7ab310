"""Nothing is imported that an application has not asked for."""

import subprocess
import sys

import pytest

OPTIONAL = {"redis", "httpx", "fastapi", "pybreaker", "aiobreaker", "purgatory", "interlock"}


@pytest.mark.parametrize("room", ["mita_otel.breakers", "mita_otel.breakers.shared", "mita_otel.breakers.adapters"])
def test_a_breaker_needs_no_other_library(room: str) -> None:
    asked = f"import {room}, sys; print(*sorted({OPTIONAL!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
