"""The resource: who is speaking, unique for each process."""

import os
from collections.abc import Mapping
from typing import Final

from opentelemetry.sdk.resources import (
    PROCESS_PID,
    PROCESS_RUNTIME_NAME,
    PROCESS_RUNTIME_VERSION,
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    Resource,
)

from mita_otel.installed import version
from mita_otel.settings import environment

DISTRIBUTION: Final = "mita-otel"
_UNKNOWN: Final = "unknown_service"


def describe(service_name: str | None) -> Resource:
    """Return the resource of this process: the SDK's detectors, the distribution's name, a unique instance id."""
    import platform  # noqa: PLC0415 - only needed here, and slow to import at interpreter start

    own: dict[str, str | int] = {
        "telemetry.distro.name": DISTRIBUTION,
        "telemetry.distro.version": version(DISTRIBUTION),
        PROCESS_PID: os.getpid(),
        PROCESS_RUNTIME_NAME: platform.python_implementation().lower(),
        PROCESS_RUNTIME_VERSION: platform.python_version(),
    }
    resource = Resource.create(own)
    if service_name is None and str(resource.attributes.get(SERVICE_NAME, "")).startswith(_UNKNOWN):
        resource = resource.merge(Resource({SERVICE_NAME: _UNKNOWN}))
    return resource.merge(instance(_configured_instance(environment())))


def instance(configured: str | None) -> Resource:
    """Return the part of the resource that differs between processes.

    A `service.instance.id` that the user set is shared by every worker that inherits the environment, and two workers
    with one identity corrupt each other's cumulative series: the process id is appended. Without one the SDK's random
    UUID stays.
    """
    pid = os.getpid()
    own: dict[str, str | int] = {PROCESS_PID: pid}
    if configured:
        own[SERVICE_INSTANCE_ID] = f"{configured}-{pid}"
    return Resource(own)


def _configured_instance(variables: Mapping[str, str]) -> str | None:
    for pair in variables.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, _, value = pair.partition("=")
        if key.strip() == SERVICE_INSTANCE_ID and value.strip():
            return value.strip()
    return None


def after_fork() -> Resource:
    """Return the process-dependent attributes again, for a child made by `os.fork`."""
    return instance(_configured_instance(environment()))


def instance_of(described: Resource) -> str:
    """Return the `service.instance.id` of a resource; empty without one."""
    return str(described.attributes.get(SERVICE_INSTANCE_ID, ""))
