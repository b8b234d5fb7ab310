"""The audit log: who did what to what, when and from where, in a form that shows when somebody has changed it.

from mita_otel.logs import audit

async with audit.running("postgresql://..."):
    audit.record(audit.EventType.AUTHENTICATION, "login", user=user_id)
    audit.modification("budget.changed", before={"limit": 100}, after={"limit": 120}, user=user_id)
    await audit.restricted(session, "user.deleted", user=user_id, resource=("user", user_id))
"""

from mita_otel.logs.audit.model import SENSITIVITY, AuditError, EventType, Outcome, Resource, Sensitivity
from mita_otel.logs.audit.origins import Origin, acting, origin
from mita_otel.logs.audit.recording import durable, fields, modification, record, restricted, running

__all__ = [
    "SENSITIVITY",
    "AuditError",
    "EventType",
    "Origin",
    "Outcome",
    "Resource",
    "Sensitivity",
    "acting",
    "durable",
    "fields",
    "modification",
    "origin",
    "record",
    "restricted",
    "running",
]
