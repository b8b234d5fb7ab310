"""Alerts on what services log, by fields of the records and never by their words: those are whoever's who wrote them.

Loki keeps attributes as structured metadata, their dots as underscores; the stream is one of its index labels.
"""

from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.dashboards import uids

_BY: Final = ("service_name", "deployment_environment_name")
_ANY: Final = '{service_name=~".+"}'
_AUDIT: Final = '{service_name=~".+", mita_log_stream="audit"}'
_GRAVE: Final = "severity_text=~`ERROR|FATAL`"
_THEIRS: Final = '{service_name="{{ $labels.service_name }}"}'

TAMPERING: Final = "mita.audit.tampering"
"""Name of the event by which a verification of the audit log tells what it found."""


def _counted(lines: str, window: str, *further: str) -> str:
    return f"sum by ({', '.join((*_BY, *further))}) (count_over_time({lines} [{window}]))"


_LOGINS: Final = "http_route=~`(?i).*(login|signin|sign-in|logon|token|password|auth).*`"
_REFUSED: Final = "mita_error_category=~`authentication|authorization` or mita_error_code=~`RATE_LIMIT.*`"
_DATABASE: Final = (
    "mita_error_category=`database` or exception_type=~`(sqlalchemy|asyncpg|psycopg2?|aiosqlite|sqlite3)[.].+`"
)

LOGS: Final = (
    Alert(
        name="MitaErrorLogBurst",
        expression=f"{_counted(f'{_ANY} | {_GRAVE}', '1m')} > 30",
        lasting="1m",
        keep="2m",
        severity="warning",
        tier=2,
        category="logs",
        by=_BY,
        summary="{{ $labels.service_name }} logs {{ $value }} errors a minute",
        description="More than 30 lines a minute are errors, for a minute and longer.",
        dashboard=uids.SERVICE,
        traces={"error": "true"},
        logs=f"{_THEIRS} | {_GRAVE}",
    ),
    Alert(
        name="MitaSuspiciousAuthenticationPattern",
        expression=f"{_counted(f'{_ANY} | {_LOGINS} | {_REFUSED}', '5m')} > 10",
        lasting="1m",
        keep="5m",
        severity="warning",
        tier=1,
        category="security",
        by=_BY,
        summary="{{ $labels.service_name }} refused {{ $value }} attempts to log in within 5 minutes",
        description="More than 10 attempts at logins, tokens or passwords were refused: somebody tries credentials,"
        " or clients hold some that are no longer good.",
        dashboard=uids.SERVICE,
        traces={"http.response.status_code": "401"},
        logs=f"{_THEIRS} | {_LOGINS} | {_REFUSED}",
    ),
    Alert(
        name="MitaDatabaseErrorsLogged",
        expression=f"{_counted(f'{_ANY} | {_GRAVE} | {_DATABASE}', '5m')} > 5",
        lasting="1m",
        keep="5m",
        severity="warning",
        tier=1,
        category="logs",
        by=_BY,
        summary="{{ $labels.service_name }} logged {{ $value }} errors of its database within 5 minutes",
        description="More than 5 lines are errors of the category database, or carry an exception of its driver.",
        dashboard=uids.PERFORMANCE,
        traces={"error": "true"},
        logs=f"{_THEIRS} | {_GRAVE} | {_DATABASE}",
    ),
    Alert(
        name="MitaAuditFailure",
        expression=f"{_counted(f'{_AUDIT} | audit_failure!=``', '5m', 'audit_failure')} > 0",
        keep="5m",
        severity="warning",
        tier=1,
        category="security",
        by=(*_BY, "audit_failure"),
        summary="The audit log of {{ $labels.service_name }} fails: {{ $labels.audit_failure }}",
        description="What it could not do is counted by mita_audit_failures_total; nothing is lost unless"
        " mita_audit_events_total has some that are dropped.",
        dashboard=uids.SERVICE,
        traces=None,
        logs='{service_name="{{ $labels.service_name }}", mita_log_stream="audit"}',
    ),
    Alert(
        name="MitaAuditTampering",
        expression=f"{_counted(f'{_AUDIT} | event_name=`{TAMPERING}`', '24h')} > 0",
        severity="critical",
        tier=1,
        category="security",
        by=_BY,
        summary="The audit log of {{ $labels.service_name }} was tampered with",
        description="A verification of the last 24 hours told of {{ $value }} changes to what was recorded.",
        dashboard=uids.SERVICE,
        traces=None,
        logs=f'{{service_name="{{{{ $labels.service_name }}}}", mita_log_stream="audit"}} | event_name=`{TAMPERING}`',
    ),
)
"""Source: observability report, section 6.4 #10; PCI DSS 4.0.1, 10.3.4 and 10.7."""
