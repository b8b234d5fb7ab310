"""`mita-otel doctor`: what a support engineer would look at, each with a verdict and the fix."""

from collections.abc import Mapping

from mita_otel.doctor.facts.gather import gather
from mita_otel.doctor.model import Finding, Verdict
from mita_otel.doctor.report import Report, diagnose
from mita_otel.doctor.settings import as_given
from mita_otel.settings import environment

__all__ = ["Finding", "Report", "Verdict", "examine", "examine_service"]


def examine(variables: Mapping[str, str], application: str = "") -> Report:
    """Examine what a service started with these variables would be.

    Args:
        variables: the environment that it would be started with.
        application: its import string, such as `app.main:app`; imported in a process of its own.
    """
    from mita_otel.doctor.facts.child import look_inside  # noqa: PLC0415 - a service does not need it

    return diagnose(gather(variables, lambda: look_inside(variables, application), lambda: None), variables)


def examine_service(application: object) -> bytes:
    """Examine this process, which serves an application; return the report as JSON."""
    from mita_otel.doctor.facts.inside import describe  # noqa: PLC0415 - the command does not need it
    from mita_otel.doctor.facts.live import read_live  # noqa: PLC0415 - as above

    variables = as_given(environment())
    return diagnose(gather(variables, lambda: describe(application), read_live), variables).as_json().encode()
