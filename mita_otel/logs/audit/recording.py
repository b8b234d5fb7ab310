"""What an application calls: to start the log, and to record.

No call raises because of a fault of ours, but for `durable` and `restricted`, whose very promise is that the event is
kept: whoever calls these is told if it is not.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from opentelemetry import trace
from opentelemetry.metrics import get_meter_provider
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.trace import format_span_id, format_trace_id

from mita_otel import correlation, resource
from mita_otel.logs.audit import origins
from mita_otel.logs.audit.content import changes, plain_details, short
from mita_otel.logs.audit.intake import utc_now
from mita_otel.logs.audit.keys import read_keys
from mita_otel.logs.audit.model import (
    SENSITIVITY,
    AuditError,
    Event,
    EventType,
    Outcome,
    Sensitivity,
)
from mita_otel.logs.audit.model import (
    Resource as Affected,
)
from mita_otel.logs.audit.statistics import observe, statistics
from mita_otel.settings import Settings, environment

DURABLE: Final = 5.0
"""Seconds that `durable` waits for the disk."""

_NOT_RUNNING: Final = "no audit log runs: wrap the application's lifespan in audit.running(url)"

_running: list[Any] = []


@asynccontextmanager
async def running(
    url: str, *, folder: Path | str | None = None, settings: Settings | None = None
) -> AsyncIterator[None]:
    """Keep the audit log of this process while the block runs, for example in an application's lifespan.

    Args:
        url: the application's database, `postgresql://...` or `sqlite:///...`; `MITA_AUDIT_DATABASE_URL` wins, and is
            for the same database as the role that may only insert.
        folder: where journals are kept, unless `MITA_AUDIT_FOLDER` says.
        settings: instead of those of the environment.

    Raises:
        AuditError: a URL or a key is not allowed; the message names the setting.
    """
    from mita_otel.logs.audit.log import AuditLog  # noqa: PLC0415 - needs SQLAlchemy, which only services with a log have

    given = settings or Settings.read_leniently(environment())[0]
    log = AuditLog(options_of(given, url, folder), statistics)
    observe(get_meter_provider())
    log.start()
    _running.append(log)
    try:
        yield
    finally:
        _running.remove(log)
        await asyncio.to_thread(log.stop, given.shutdown_timeout)


def options_of(settings: Settings, url: str, folder: Path | str | None = None) -> Any:
    """Return the options of a log.

    Raises:
        AuditError: as `running`.
    """
    from mita_otel.logs.audit.database import read_url  # noqa: PLC0415 - as above
    from mita_otel.logs.audit.log import Options  # noqa: PLC0415 - as above

    chosen = settings.audit_database_url
    who = _resource(settings)
    return Options(
        url=read_url(chosen.get_secret_value() if chosen is not None else url),
        root=settings.audit_root(folder),
        service=settings.service_name or str(who.attributes.get(SERVICE_NAME) or "unknown_service"),
        instance=str(who.attributes.get(SERVICE_INSTANCE_ID) or "unknown"),
        keys=read_keys(settings.audit_keys()),
        journal_limit=settings.audit_spool_limit,
    )


def _resource(settings: Settings) -> Resource:
    """Return who speaks: as the telemetry says, and without that as it would."""
    found = getattr(trace.get_tracer_provider(), "resource", None)
    return found if isinstance(found, Resource) else resource.describe(settings.service_name)


class About(TypedDict, total=False):
    """What is said about an event, each of it by keyword.

    Attributes:
        outcome: how it ended, success by default; a bool will do.
        sensitivity: unless the kind's own is right.
        user: the id of who did it, unless it is the request's user, whom `acting` has named.
        resource: kind and id of what was affected.
        details: what else is to be known; masked.
    """

    outcome: Outcome | bool
    sensitivity: Sensitivity
    user: object
    resource: Affected | tuple[str, object]
    details: Mapping[str, object]


def record(event_type: EventType, action: str, **about: Unpack[About]) -> None:
    """Record an event; when this returns it is in the journal, which outlives the process.

    Args:
        event_type: which kind.
        action: what happened, dotted: `login`, `budget.changed`.
        about: as `About` says.
    """
    _guarded(lambda: _event(event_type, action, about))


def modification(
    action: str,
    *,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    **about: Unpack[About],
) -> None:
    """Record that data was changed, with the fields that differ, masked.

    Args:
        action: as `record`.
        before: the fields as they were; None for what was made.
        after: the fields as they are; None for what was deleted.
        about: as `About` says.
    """
    _guarded(lambda: _event(EventType.DATA_MODIFICATION, action, about, before, after))


async def durable(event_type: EventType, action: str, **about: Unpack[About]) -> None:
    """Record as `record` does, and wait until the event outlives a loss of power: on disk, or in the database.

    Raises:
        AuditError: that could not be had within 5 s; whoever asks for it must not go on as if it had been recorded.
    """
    if not _running:
        raise AuditError(_NOT_RUNNING)
    log = _running[-1]
    seq = log.accept(_event(event_type, action, about))
    if seq:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(log.when_safe(seq)), DURABLE)
            return
    raise AuditError("the audit log could not keep an event: neither the disk nor the database took it")


async def restricted(
    session: Any,
    action: str,
    *,
    event_type: EventType = EventType.DATA_MODIFICATION,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    **about: Unpack[About],
) -> None:
    """Record a RESTRICTED event within a transaction: it is kept exactly if that is committed.

    Args:
        session: an `AsyncSession` or an `AsyncConnection` of the application's database.
        action: as `record`.
        event_type: as `record`.
        before: as `modification`.
        after: as `modification`.
        about: as `About` says.

    Raises:
        Exception: the database's own; the transaction is not to be committed.
    """
    from mita_otel.logs.audit.database import outbox_insert  # noqa: PLC0415 - needs SQLAlchemy
    from mita_otel.logs.audit.outbox import leave  # noqa: PLC0415 - as above

    event = _event(event_type, action, {**about, "sensitivity": Sensitivity.RESTRICTED}, before, after)
    await session.execute(outbox_insert(leave(event, utc_now())))
    for log in _running[-1:]:
        log.expect_outbox()


def fields(thing: object, *names: str) -> dict[str, object]:
    """Return some attributes of an object as they are now, for `before` and `after`."""
    return {name: getattr(thing, name) for name in names}


def _guarded(make: Callable[[], Event]) -> None:
    """Record, and keep what goes wrong with that from the application: the guard at this room's door."""
    try:
        if _running:
            _running[-1].accept(make())
            return
        statistics.count("dropped")
        statistics.failed("not_running", _NOT_RUNNING)
    except Exception as error:  # noqa: BLE001 - see above
        statistics.count("dropped")
        statistics.failed("fault", "an event could not be recorded", error)


def _event(
    event_type: EventType,
    action: str,
    about: About,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> Event:
    request = origins.current()
    span = trace.get_current_span().get_span_context()
    kind, identity = about.get("resource", (None, None))
    outcome = about.get("outcome", Outcome.SUCCESS)
    if not isinstance(outcome, Outcome):
        outcome = Outcome.SUCCESS if outcome else Outcome.FAILURE
    return Event(
        event_type=event_type,
        action=short(action) or "",
        outcome=outcome,
        sensitivity=about.get("sensitivity", SENSITIVITY[event_type]),
        user=short(about.get("user", request.user)),
        address=short(request.address),
        place=short(request.place()),
        resource_type=short(kind),
        resource_id=short(identity),
        trace_id=format_trace_id(span.trace_id) if span.is_valid else None,
        span_id=format_span_id(span.span_id) if span.is_valid else None,
        correlation_id=correlation.current(),
        details=plain_details(about.get("details")),
        changes=changes(before, after),
    )
