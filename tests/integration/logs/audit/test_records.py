"""Events arrive in the database as they were recorded: chained, masked, with what led to them."""

import os
from asyncio import to_thread
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_span_id, format_trace_id

from mita_otel import correlation
from mita_otel.logs import audit
from tests.fixtures.polling import eventually_async
from tests.integration.logs.audit.conftest import Run, Stored


async def test_a_record_says_who_did_what_to_what_when_from_where_and_how_it_ended(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        with audit.origin(audit.Origin("192.0.2.7", lambda: "PUT /budgets/{id}")):
            audit.acting("u1")
            token = correlation.bind("corr-1")
            with trace.use_span(TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("x")) as span:
                audit.modification(
                    "budget.changed", before={"limit": 1}, after={"limit": 2}, resource=("budget", 7), outcome=False
                )
            correlation.unbind(token)
    context = span.get_span_context()
    (found,) = await stored.events("budget.changed")
    assert found["occurred_at"].endswith("Z")
    assert {name: found[name] for name in found.keys() - {"occurred_at", "chain", "seq", "key", "v"}} == {
        "event_type": "data_modification",
        "action": "budget.changed",
        "outcome": "failure",
        "sensitivity": "confidential",
        "user": "u1",
        "address": "192.0.2.7",
        "place": "PUT /budgets/{id}",
        "resource_type": "budget",
        "resource_id": "7",
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
        "correlation_id": "corr-1",
        "changes": {"limit": {"before": 1, "after": 2}},
    }
    assert (await stored.verified(trace=found["trace_id"])).is_sound
    columns = "user_id, event_type, resource_id, trace_id"
    (row,) = await stored.rows(f"SELECT {columns} FROM audit_logs WHERE action = 'budget.changed'")
    assert tuple(row) == ("u1", "data_modification", "7", found["trace_id"])


async def test_a_log_records_its_own_start_and_end(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        pass
    async with run(stored.url):
        pass
    verdicts = (await stored.verified()).verdicts
    assert [(verdict.records, verdict.started, verdict.stopped, verdict.findings) for verdict in verdicts] == [
        (2, True, True, [])
    ] * 2


async def test_nothing_that_is_a_secret_is_stored(stored: Stored, run: Run) -> None:
    secrets = {"password": "hunter2", "note": "card 4111 1111 1111 1111", "nested": {"token": "hunter2"}}
    async with run(stored.url):
        audit.record(audit.EventType.REQUEST, "x.y", details=secrets, user="jane@example.com")
        audit.modification("x.z", before=secrets, after={}, resource=("user", "4111111111111111"))
    rows = str(await stored.rows("SELECT * FROM audit_logs"))
    # Four digits alone are in one of a hundred hashes.
    assert [word for word in ("hunter2", "4111 ", "41111111", "jane@") if word in rows] == []


async def test_ten_events_are_written_at_once_and_fewer_within_a_second(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        for number in range(3):
            audit.record(audit.EventType.REQUEST, "few", details={"n": number})

        async def there() -> list[Any]:
            return await stored.events("few")

        assert len(await eventually_async(there)) == 3


async def test_an_event_that_is_durable_is_on_disk_or_in_the_database(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        await audit.durable(audit.EventType.AUTHORIZATION, "role.granted", user="root")
    assert len(await stored.events("role.granted")) == 1


async def test_a_child_that_is_forked_goes_on_with_a_chain_of_its_own(stored: Stored, run: Run) -> None:
    async with run(stored.url):
        audit.record(audit.EventType.REQUEST, "parent")
        if not (child := os.fork()):
            # Its event is in a journal when the call returns; the parent finds that when the child is gone.
            audit.record(audit.EventType.REQUEST, "child")
            os._exit(0)
        assert (await to_thread(os.waitpid, child, 0))[1] == 0
        audit.record(audit.EventType.REQUEST, "parent")
    async with run(stored.url):

        async def recovered() -> list[Any]:
            return await stored.events("child")

        (event,) = await eventually_async(recovered)
    parents = await stored.events("parent")
    assert [parent["chain"] == parents[0]["chain"] for parent in parents] == [True, True]
    assert event["chain"] != parents[0]["chain"]
    assert (await stored.verified()).is_sound


async def test_without_a_key_the_log_works_and_says_what_that_is_worth(stored: Stored, run: Run, caplog: Any) -> None:
    async with run(stored.url, MITA_AUDIT_SIGNING_KEY=""):
        pass
    assert "the audit log has no key" in caplog.text
    assert {row[0] for row in await stored.rows("SELECT DISTINCT key FROM audit_logs")} == {"none"}
