"""Fixtures that every test may ask for."""

import signal
from collections.abc import Iterator
from functools import cache

import pytest
from httpx._config import create_ssl_context
from hypothesis import settings

pytest_plugins = ["tests.fixtures.node_ids", "tests.fixtures.servers"]

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("mita_otel", deadline=None)
# `pytest --hypothesis-profile=deep` looks for longer.
settings.register_profile("deep", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("mita_otel")

# A run in the background of a shell is born with SIGINT ignored, and so would be every service that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """Let clients of httpx share what each of them, and each call without one, reads for 20 ms: the authorities."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(create_ssl_context))
        yield
