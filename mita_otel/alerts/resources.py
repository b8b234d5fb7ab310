"""Alerts on what a host runs out of: memory, processors, disk."""

from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import SERVICE, labels
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue import system

_HOST: Final = (*SERVICE, "host_name")
_BY: Final = labels(_HOST)
_FREE: Final = f"min by {_BY} ({system.DISK_FREE.prometheus_name})"
_FULL: Final = f"max by {_BY} ({system.DISK_USAGE.prometheus_name})"

RESOURCES: Final = (
    Alert(
        name="MitaHighMemoryUsage",
        expression=f"max by {_BY} ({system.MEMORY_USAGE_PERCENT.prometheus_name}) > 85",
        lasting="5m",
        keep="2m",
        severity="warning",
        tier=2,
        category="resources",
        by=_HOST,
        summary="A host of {{ $labels.service_name }} uses {{ $value | humanize }} % of its memory",
        description="More than 85 %: at 100 the kernel ends processes.",
        dashboard=uids.SERVICE,
        traces=None,
    ),
    Alert(
        name="MitaHighCpuUsage",
        expression=f"max by {_BY} (avg_over_time({system.CPU_USAGE.prometheus_name}[5m])) > 80",
        lasting="10m",
        keep="2m",
        severity="warning",
        tier=2,
        category="resources",
        by=_HOST,
        summary="A host of {{ $labels.service_name }} is {{ $value | humanize }} % busy",
        description="More than 80 % on average over 5 minutes: requests wait for a processor.",
        dashboard=uids.SERVICE,
        traces={"minDuration": "1s"},
    ),
    Alert(
        name="MitaDiskSpaceLow",
        expression=f"{_FREE} < 5\nand {_FULL} > 80",
        lasting="5m",
        severity="warning",
        tier=1,
        category="resources",
        by=_HOST,
        summary="A host of {{ $labels.service_name }} has {{ $value | humanize }} GB of disk left",
        description="Less than 5 GB, and less than a fifth of the disk.",
        dashboard=uids.SERVICE,
        traces=None,
    ),
    Alert(
        name="MitaDiskFullPredicted",
        # The trend of the last hour, too: what one large file began ends with it.
        expression=(
            f"predict_linear(({_FREE})[6h:5m], 86400) < 0\n"
            f"and predict_linear(({_FREE})[1h:5m], 86400) < 0\n"
            f"and {_FULL} > 60\n"
            f"and count_over_time(({_FREE})[6h:5m]) >= 36"
        ),
        lasting="1h",
        severity="warning",
        tier=2,
        category="resources",
        by=_HOST,
        summary="A disk of {{ $labels.service_name }} will be full within a day",
        description="By the trend of the last 6 hours {{ $value | humanize }} GB of it will be left then.",
        dashboard=uids.SERVICE,
        traces=None,
    ),
)
"""Source: observability report, section 6.2 #5."""
