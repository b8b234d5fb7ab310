"""Alerts on what the business and its attackers do."""

from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import SERVICE, share
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue import business, reliability

_LOGINS: Final = business.AUTHENTICATION.prometheus_name
_RECEIPTS: Final = business.OCR_PROCESSING.prometheus_name
_HELD: Final = reliability.RATE_LIMIT_REQUESTS.prometheus_name

BUSINESS: Final = (
    Alert(
        name="MitaHighAuthenticationFailureRate",
        expression=share(f'{_LOGINS}{{status="failed"}}', _LOGINS, above=0.2, at_least=10, window="5m", still="2m"),
        lasting="5m",
        keep="5m",
        severity="warning",
        tier=1,
        category="security",
        by=SERVICE,
        summary="{{ $value | humanizePercentage }} of the logins of {{ $labels.service_name }} fail",
        description="More than a fifth in the last 5 minutes, and at least 10: a fault, or somebody tries passwords.",
        dashboard=uids.BUSINESS,
        logs='{service_name="{{ $labels.service_name }}", mita_log_stream="security"}',
    ),
    Alert(
        name="MitaOcrProcessingFailures",
        expression=share(f'{_RECEIPTS}{{status="failed"}}', _RECEIPTS, above=0.1, at_least=5, window="15m", still="5m"),
        lasting="5m",
        keep="5m",
        severity="warning",
        tier=2,
        category="business",
        by=SERVICE,
        summary="{{ $value | humanizePercentage }} of the receipts of {{ $labels.service_name }} cannot be read",
        description="More than a tenth in the last 15 minutes, and at least 5.",
        dashboard=uids.BUSINESS,
        traces={"error": "true"},
    ),
    Alert(
        name="MitaRateLimitSurge",
        expression=share(
            f'{_HELD}{{result=~"blocked|fallback_blocked"}}',
            _HELD,
            above=0.2,
            at_least=50,
            window="5m",
            still="2m",
            by=("policy",),
        ),
        lasting="5m",
        keep="5m",
        severity="warning",
        tier=3,
        category="security",
        by=(*SERVICE, "policy"),
        summary="{{ $labels.service_name }} turns away {{ $value | humanizePercentage }} of the requests under"
        " {{ $labels.policy }}",
        description="More than a fifth in the last 5 minutes, and at least 50: an attack, a client gone wild, or a"
        " limit that is too low.",
        dashboard=uids.RELIABILITY,
        logs='{service_name="{{ $labels.service_name }}", mita_log_stream="security"}',
    ),
)
"""Source: observability report, sections 2.5 and 6.2 #5."""
