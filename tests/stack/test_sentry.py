"""One failure, seen in two places: the report in Bugsink and the trace in Jaeger have one id."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from mita_otel.stack import NativeStack
from tests.fixtures.bugsink import Bugsink, bugsink_running
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.stack.otlp import Backends

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

FAILURES = 5


@pytest.fixture
def bugsink(tmp_path: Path) -> Iterator[Bugsink]:
    with bugsink_running(tmp_path) as server:
        yield server


def test_each_failure_is_one_report_and_one_trace_of_the_same_id(
    stack: NativeStack, backends: Backends, bugsink: Bugsink, start_service: Callable[..., ServiceProcess]
) -> None:
    port, name = find_free_port(), f"shop-{uuid4().hex[:8]}"
    process = start_service(
        ["opentelemetry-instrument", "uvicorn", "tests.integration.sentry.service:app", "--port", str(port)],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": name,
            "MITA_STRICT": "1",
            "SENTRY_DSN": bugsink.dsn,
            "PYTHONPATH": ".",
        },
    )
    process.wait_until_it_answers(f"http://127.0.0.1:{port}/health")
    for _ in range(FAILURES):
        assert httpx.get(f"http://127.0.0.1:{port}/fails").status_code == 500
    process.terminate()
    process.wait(20)
    reports = bugsink.wait_for(FAILURES)
    spans = eventually(
        lambda: found if len(found := backends.spans(name, operation="GET /fails")) >= FAILURES else [], timeout=30
    )
    reported = [report["contexts"]["trace"]["trace_id"] for report in reports]
    assert sorted(reported) == sorted(span["traceID"] for span in spans)
    assert len(set(reported)) == FAILURES
    assert {span["tags"]["error"] for span in spans} == {True}
