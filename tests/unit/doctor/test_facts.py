"""How facts are read off clocks, outputs, applications and packages."""

import subprocess
import sys
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

from mita_otel.doctor.facts.applications import describe, load
from mita_otel.doctor.facts.child import last_words
from mita_otel.doctor.facts.delivery import seconds_ahead
from mita_otel.doctor.facts.gather import gather
from mita_otel.doctor.facts.packages import find_packages, installed, pins
from mita_otel.doctor.facts.variables import known_variables

EPOCH = 1_800_000_000


@given(st.integers(0, 10**9), st.floats(0, 5), st.integers(-100_000, 100_000))
def test_a_clock_that_is_right_is_not_ahead_and_one_that_is_not_is_so_by_its_error(
    when: int, takes: float, off: int
) -> None:
    began = float(when)
    ahead = seconds_ahead(formatdate(when + off, usegmt=True), began, began + takes)
    assert ahead is not None
    assert abs(ahead - off) <= takes / 2 + 1 or (ahead == 0 and -1 <= off <= takes + 1)
    if off == 0:
        assert ahead == 0


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_without_a_date_nothing_is_known_of_a_clock(date: str | None) -> None:
    assert seconds_ahead(date, EPOCH, EPOCH + 1) is None


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("", "it said nothing"),
        ("starting\nlistening\n", "listening"),
        ("Traceback:\n  x\nmodule.BadError: no\nbye\n", "module.BadError: no"),
        (
            "mita_otel: A=1 is not allowed\nValueError: x\nmita_otel: settings are not valid",
            "A=1 is not allowed; settings are not valid",
        ),
    ],
)
def test_the_line_that_says_best_what_went_wrong_is_told(output: str, told: str) -> None:
    assert last_words(output) == told


def test_a_plain_application_does_nothing_by_hand() -> None:
    described = describe(FastAPI(), "app.main:app")
    assert (described.name, described.kind, described.by_hand) == ("app.main:app", "FastAPI", ())
    assert described.native is not None
    assert described.native["tracing"] is True


def test_what_an_application_adds_is_found_inside_and_around_it() -> None:
    inner = FastAPI()
    inner.add_middleware(OpenTelemetryMiddleware)
    wrapped: Any = GZipMiddleware(OpenTelemetryMiddleware(inner))
    described = describe(wrapped, "")
    assert described.kind == "FastAPI"
    assert described.by_hand == ("OpenTelemetryMiddleware(app)", "app.add_middleware(OpenTelemetryMiddleware)")


def test_a_bound_method_stands_for_its_application() -> None:
    app = FastAPI()
    assert describe(app.openapi, "").kind == "FastAPI"


def test_something_else_is_described_by_its_type() -> None:
    assert describe(SimpleNamespace(), "x:y").kind == "SimpleNamespace"


def test_an_application_is_imported_by_name_or_made_by_its_factory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examined_module.py").write_text(
        "class a:\n    b = 'nested'\napp = 'plain'\ndef make(): return 'made'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load("examined_module") == "plain"
    assert load("examined_module:a.b") == "nested"
    assert load("examined_module:make()") == "made"
    with pytest.raises(ValueError, match="has no attribute 'nothing'"):
        load("examined_module:nothing")


def test_the_consistent_set_is_that_of_the_package_and_is_installed() -> None:
    assert pins()["opentelemetry-sdk"] == installed("opentelemetry-sdk")
    assert all(installed(name) == version for name, version in pins().items())
    assert installed("no-such-package-anywhere") is None


def test_this_environment_is_consistent() -> None:
    packages = find_packages()
    assert packages.unmet == ()
    assert {(e.group, e.name) for e in packages.entry_points} >= {("opentelemetry_distro", "mita")}
    assert packages.protobuf is not None
    assert packages.protobuf.problem == ""


def test_known_variables_are_ours_the_sdks_and_those_of_instrumentations() -> None:
    known = known_variables()
    assert {"MITA_STRICT", "OTEL_TRACES_SAMPLER_ARG", "OTEL_EXPORTER_OTLP_LOGS_HEADERS", "OTEL_PYTHON_DISTRO"} <= known


def test_asking_for_known_variables_chooses_no_distribution() -> None:
    code = (
        "import os; os.environ.pop('OTEL_PYTHON_DISTRO', None)\n"
        "from mita_otel.doctor.facts.variables import known_variables\n"
        "known_variables(); print('OTEL_PYTHON_DISTRO' in os.environ)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_what_cannot_be_found_out_is_named_and_the_rest_is_known() -> None:
    def fail() -> None:
        raise PermissionError("no access\nsecond line")

    facts = gather(
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}, fail, fail
    )
    assert facts.unknown == {
        "a process with these settings": "PermissionError: no access",
        "the running service": "PermissionError: no access",
    }
    assert facts.packages is not None
    assert (facts.deliveries, facts.looks) == ((), ())


def test_a_disabled_sdk_is_neither_started_nor_sent_to() -> None:
    started: list[int] = []
    facts = gather({"OTEL_SDK_DISABLED": "true"}, lambda: started.append(1), lambda: None)
    assert (started, facts.deliveries, facts.process) == ([], (), None)
