"""Starts everything, in the order that a newcomer should read it."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

from opentelemetry import _logs, metrics, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

import mita_otel.logs
import mita_otel.metrics.provider
import mita_otel.slo
import mita_otel.traces.provider
from mita_otel import exporters, resource
from mita_otel.export import observe_spans
from mita_otel.installed import version
from mita_otel.libraries import CONTRIB_NAMES, Examine, Libraries, Telemetry, faults
from mita_otel.lifecycle import Exit
from mita_otel.logs.pipeline import Limits
from mita_otel.processes import is_helper
from mita_otel.settings import INSTRUMENTED_BY_US, Settings, SettingsError, apply_defaults, environment
from mita_otel.traces.propagation import install as install_propagators
from mita_otel.traces.provider import Provider

EX_CONFIG: Final = 78
"""Exit status of a process whose set-up failed under `MITA_STRICT=1`. Source: sysexits.h."""

SDK_VERSION: Final = "1.45.1"
"""The SDK that the guard of the series and the resource's renewal after a fork were written against."""

_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"

_logger: Final = logging.getLogger("mita_otel")


class Running(NamedTuple):
    """What runs in this process."""

    settings: Settings
    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    logger_provider: LoggerProvider
    deliveries: Sequence[exporters.Delivery]
    libraries: Libraries
    logs: mita_otel.logs.Installed
    exit: Exit


_running: list[Running] = []
_problems: list[str] = []


def start(settings: Settings, examine: Examine | None = None) -> Running:
    """Start the three signals, instrument the libraries and register the exit.

    Args:
        settings: what the environment asks for.
        examine: examines this process for `GET /_mita/doctor`, which is served if there is a token for it.
    """
    who = resource.describe(settings.service_name)
    exports = exporters.build(settings)
    meter_provider = mita_otel.metrics.provider.build(settings, who, exports.readers)
    tracer_provider = mita_otel.traces.provider.build(settings, who, meter_provider, exports.spans)
    logger_provider = mita_otel.logs.provider(settings, who, meter_provider, exports.logs)
    for delivery in exports.deliveries:
        delivery.observe(meter_provider)
    _publish(tracer_provider, meter_provider, logger_provider)
    install_propagators(settings.propagators)
    logs = mita_otel.logs.install(
        logger_provider=logger_provider if exports.logs else None,
        resource=lambda: tracer_provider.resource,
        outbox=exports.log_outbox if settings.fast_path else None,
        format=settings.log_format,
        level=settings.log_level,
        levels=settings.log_levels,
        directory=settings.log_directory,
        limits=Limits(body=settings.log_body_limit),
    )
    faults.observe(meter_provider, logs.faults)
    if isinstance(tracer_provider, Provider):
        observe_spans(tracer_provider.counts, meter_provider)
    logs.losses.observe(meter_provider)
    promised = None
    if settings.slo_file is not None:
        promised = mita_otel.slo.start(settings, meter_provider, lambda: resource.instance_of(tracer_provider.resource))
    if promised is not None:
        exports.endings.append(promised.ledger.close)
    reported = () if settings.sentry_dsn is None else _report_errors(settings, tracer_provider, meter_provider)
    closings = [*exports.closed_after(logs.closing), *reported, *(promised.closings if promised else ())]
    leaving = Exit(closings, settings.shutdown_timeout)
    leaving.register()
    telemetry = Telemetry(tracer_provider, meter_provider, logger_provider, settings, examine)
    libraries = Libraries(telemetry, disabled=settings.disabled_by_user, strict=settings.strict)
    libraries.register(leaving.guard_signals)
    os.register_at_fork(after_in_child=lambda: _rename(tracer_provider, meter_provider, logger_provider))
    return Running(
        settings=settings,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
        deliveries=exports.deliveries,
        libraries=libraries,
        logs=logs,
        exit=leaving,
    )


def _report_errors(
    settings: Settings, tracers: TracerProvider, meters: MeterProvider
) -> Sequence[tuple[str, exporters.Closing]]:
    from mita_otel import sentry  # noqa: PLC0415 - who has no DSN starts without

    return sentry.bridge(settings, tracers, meters).closings


def _publish(tracers: TracerProvider, meters: MeterProvider, loggers: LoggerProvider) -> None:
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(meters)
    _logs.set_logger_provider(loggers)
    for mine, theirs in (
        (tracers, trace.get_tracer_provider()),
        (meters, metrics.get_meter_provider()),
        (loggers, _logs.get_logger_provider()),
    ):
        if mine is not theirs:
            complain(f"{type(theirs).__module__}.{type(theirs).__name__} was set as global provider before mita_otel")


def _rename(*providers: TracerProvider | MeterProvider | LoggerProvider) -> None:
    """Give a forked child its own instance id where the user had set one; the SDK would make it a random one."""
    own: Resource = resource.after_fork()
    for provider in providers:
        provider._update_resource(own)  # noqa: SLF001 - no public way; the SDK is pinned


def launch(examine: Examine | None = None) -> None:
    """Start in this process, unless it is a helper or the SDK is disabled; called by the configurator.

    Under `MITA_STRICT=1` a failure ends the process with status 78; otherwise it is logged and the application runs
    without telemetry.
    """
    if _running or is_helper(sys.orig_argv):
        return
    variables = environment()
    settings, problem = Settings.read_leniently(variables)
    if settings.sdk_disabled:
        return
    try:
        if problem is not None:
            _report(problem, strict=_wants_strict(settings, problem))
        apply_defaults(variables)
        check_versions()
        _running.append(start(settings, examine))
        variables[_DISABLED] = ",".join([*settings.disabled_by_user, INSTRUMENTED_BY_US, *CONTRIB_NAMES])
    except Exception as error:
        if settings.strict:
            fail(f"set-up failed: {error}")
        _logger.exception("set-up failed; the application runs without telemetry")


def _wants_strict(settings: Settings, problem: SettingsError) -> bool:
    # Who misspells the value of MITA_STRICT wanted to be strict.
    return settings.strict or "MITA_STRICT" in problem.problems


def _report(problem: SettingsError, *, strict: bool) -> None:
    for sentence in problem.problems.values():
        print(f"mita_otel: {sentence}", file=sys.stderr)  # noqa: T201 - before logging is set up
    if strict:
        fail("settings are not valid")


def claim() -> None:
    """Remember that our distribution was the one chosen; called by the distro entry point."""
    chosen = environment().get("OTEL_PYTHON_CONFIGURATOR")
    if chosen not in {None, "", "mita"}:
        _problems.append(f"OTEL_PYTHON_CONFIGURATOR={chosen} is chosen: remove it or set it to 'mita'")


def check() -> None:
    """Complain if another distribution's configurator set the SDK up.

    It is the entry point of the group `opentelemetry_pre_instrument`, which is called once everything is configured.
    """
    if _running or is_helper(sys.orig_argv) or environment().get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return
    for problem in _problems or [
        "another distribution was chosen: set OTEL_PYTHON_DISTRO=mita and OTEL_PYTHON_CONFIGURATOR=mita"
    ]:
        complain(problem)


def check_versions() -> None:
    """Complain if the SDK is not the one that this distribution was built for."""
    found = version("opentelemetry-sdk")
    if found != SDK_VERSION:
        complain(f"opentelemetry-sdk {found} is installed, {SDK_VERSION} is needed: reinstall mita-otel")


def complain(sentence: str) -> None:
    """Say one line loudly; under `MITA_STRICT=1` end the process."""
    print(f"mita_otel: {sentence}", file=sys.stderr)  # noqa: T201 - heard whatever logging is set to
    if Settings.read_leniently(environment())[0].strict:
        fail("strict mode does not go on")


def fail(sentence: str) -> NoReturn:
    """End the process: the launcher would swallow an exception and serve without telemetry."""
    print(f"mita_otel: {sentence}", file=sys.stderr)  # noqa: T201 - the last words
    sys.stderr.flush()
    os._exit(EX_CONFIG)


def running() -> Running | None:
    """Return what runs in this process, or None."""
    return _running[0] if _running else None
