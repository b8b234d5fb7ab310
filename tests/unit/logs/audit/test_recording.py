"""A call that records never fails because of us; one that promises to keep an event says if it did not."""

import pytest

from mita_otel.logs import audit
from mita_otel.logs.audit.statistics import statistics


class Broken:
    def __bool__(self) -> bool:
        raise RuntimeError("broken")


def test_an_event_that_no_log_takes_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    before = statistics.events["dropped"], statistics.failures["not_running"]
    audit.record(audit.EventType.AUTHENTICATION, "login")
    assert (statistics.events["dropped"], statistics.failures["not_running"]) == (before[0] + 1, before[1] + 1)


async def test_a_promise_that_cannot_be_kept_is_an_error() -> None:
    with pytest.raises(audit.AuditError, match=r"wrap the application's lifespan in audit.running\(url\)"):
        await audit.durable(audit.EventType.AUTHENTICATION, "login")


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "postgresql+psycopg://host/name"])
async def test_a_database_that_cannot_keep_it_is_an_error(url: str) -> None:
    with pytest.raises(audit.AuditError, match="postgresql://"):
        async with audit.running(url):
            pass


def test_a_user_who_acts_outside_of_a_request_is_nobody() -> None:
    audit.acting("u1")
    with audit.origin(audit.Origin("192.0.2.1")) as _:
        audit.acting("u2")


def test_the_attributes_of_an_object_are_as_they_were() -> None:
    assert audit.fields(audit.Resource("budget", 7), "type", "id") == {"type": "budget", "id": 7}
