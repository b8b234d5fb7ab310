"""What is set about health."""

from pydantic import Field

from mita_otel.settings.values import Names, Part


class HealthSettings(Part):
    """Settings of health."""

    health_interval: float = Field(
        default=5.0,
        ge=0.1,
        le=300,
        alias="MITA_HEALTH_INTERVAL",
        title="time between two looks at a component, give or take a tenth",
        description="seconds between 0.1 and 300",
    )
    fail_ready_on: Names = Field(
        default=(),
        alias="MITA_FAIL_READY_ON",
        title="components shared by all replicas whose failure takes a replica out of the load balancer all the same",
        description="names of health checks separated by commas",
    )
    drain_seconds: float = Field(
        default=0.0,
        ge=0,
        le=60,
        alias="MITA_DRAIN_SECONDS",
        title="how long a process still serves after SIGTERM while it says that it is not ready; in Kubernetes 5",
        description="seconds between 0 and 60",
    )
