"""Gathers the facts; what cannot be found out is named, and does not keep the rest from being."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from mita_otel.doctor.facts.delivery import deliver, probe_trace_id
from mita_otel.doctor.facts.looking import look
from mita_otel.doctor.facts.model import Facts, Live, Process
from mita_otel.doctor.facts.packages import find_packages
from mita_otel.doctor.facts.variables import known_variables
from mita_otel.doctor.settings import PREFIXES
from mita_otel.settings import Settings

T = TypeVar("T")


def gather(
    variables: Mapping[str, str], look_inside: Callable[[], Process | None], live: Callable[[], Live | None]
) -> Facts:
    """Gather everything there is to know.

    Args:
        variables: the environment.
        look_inside: describes a process under the distribution.
        live: reads what only a running service knows.
    """
    settings, problem = Settings.read_leniently(variables)
    unknown: dict[str, str] = {}

    def attempt(what: str, find: Callable[[], T]) -> T | None:
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - the other facts are wanted all the more
            unknown[what] = f"{type(error).__name__}: {error}".splitlines()[0]
            return None

    trace_id = probe_trace_id()
    enabled = not settings.sdk_disabled
    deliveries = (attempt("the endpoint", lambda: deliver(settings, variables, trace_id)) if enabled else None) or ()
    arrived = any(sent.signal == "traces" and sent.outcome == "accepted" and not sent.reason for sent in deliveries)
    looks = (attempt("the arrival", lambda: look(settings, variables, trace_id)) if arrived else None) or ()
    return Facts(
        variables={name: value for name, value in variables.items() if name.startswith(PREFIXES) and value.strip()},
        settings=settings,
        problems=problem.problems if problem else {},
        known=attempt("the known variables", known_variables) or frozenset(),
        packages=attempt("the packages", find_packages),
        process=attempt("a process with these settings", look_inside) if enabled else None,
        deliveries=deliveries,
        looks=looks,
        live=attempt("the running service", live),
        unknown=unknown,
    )
