"""Feature flags by OpenFeature, and what they may be decided by: budgets, burn rates, circuit breakers.

    from mita_otel.degradation import feature_flag

    @feature_flag("ai_insights", fallback=[])
    async def insights(user_id: str) -> list[Insight]:
        ...

Any provider of OpenFeature does. With `MITA_FLAGS_FILE` it is flagd's, on a file that may change meanwhile.
"""

import functools
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar, cast

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider import AbstractProvider

from mita_otel.breakers import REGISTRY
from mita_otel.degradation.modes import Mode
from mita_otel.degradation.telemetry import EvaluationHook
from mita_otel.settings import Settings, environment

P = ParamSpec("P")
T = TypeVar("T")

DOMAIN: Final = "mita"

Source = Callable[[], Mapping[str, float | str]]
"""Returns attributes that flags may be decided by; called at each evaluation, so it must not block."""

_sources: Final[list[Source]] = []
_chosen: Final = threading.Event()
_logger: Final = logging.getLogger("mita_otel.degradation")


class FlagsError(RuntimeError):
    """Feature flags cannot be had as the settings ask."""


def decide_by(source: Source) -> None:
    """Let flags be decided by more attributes, such as `slo.<id>.budget_remaining`."""
    if source not in _sources:
        _sources.append(source)


def context(**attributes: float | str) -> EvaluationContext:
    """Return what flags are decided by now: every breaker's state, what the sources say, and what is given."""
    known: dict[str, Any] = {f"cb.{breaker.ledger.name}.state": breaker.ledger.state.value for breaker in REGISTRY}
    for source in _sources:
        try:
            known |= source()
        except Exception:  # noqa: BLE001, S112 - a flag is decided by what is known
            continue
    return EvaluationContext(attributes={**known, **attributes})


def use_provider(provider: AbstractProvider) -> None:
    """Ask a provider of OpenFeature from now on; until it is ready every flag has its default."""
    api.set_provider(provider, DOMAIN)
    _chosen.set()


def use_file(path: Path) -> None:
    """Read flags from a file in flagd's format, anew whenever it changes.

    Raises:
        FlagsError: the provider is not installed.
    """
    try:
        from openfeature.contrib.provider.flagd import FlagdProvider  # noqa: PLC0415 - an extra
        from openfeature.contrib.provider.flagd.config import ResolverType  # noqa: PLC0415 - as above
    except ImportError as error:
        raise FlagsError("MITA_FLAGS_FILE needs a provider: pip install 'mita-otel[flags]'") from error
    use_provider(FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(path)))


@functools.lru_cache(1)
def _client() -> Any:
    """Return the client, and read the file that the settings name, unless somebody has chosen a provider before."""
    path = Settings.read_leniently(environment())[0].flags_file
    if path is not None and not _chosen.is_set():
        try:
            use_file(path)
        except FlagsError:
            _logger.exception("feature flags have their defaults")
    client = api.get_client(DOMAIN)
    client.add_hooks([EvaluationHook()])
    return client


def is_on(flag: str, *, default: bool = True, **attributes: float | str) -> bool:
    """Return whether a flag is on; its default where the provider does not know, or cannot say."""
    return bool(_client().get_boolean_value(flag, default, context(**attributes)))


def mode(feature: str, **attributes: float | str) -> Mode:
    """Return the best mode that the flag of a feature allows: a text flag of its name, or `full` without one."""
    value = _client().get_string_value(feature, Mode.FULL.value, context(**attributes))
    return Mode(value) if value in set(Mode) else Mode.FULL


def feature_flag(
    flag: str, *, fallback: Any = None, default: bool = True
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Call an async function only while a flag is on.

    Source: observability report, section 6.3 #8.

    Args:
        flag: its key.
        fallback: what is returned instead, or a function of the same arguments that makes it.
        default: whether the flag is on where nobody says.
    """

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            if is_on(flag, default=default):
                return await function(*args, **kwargs)
            made = fallback(*args, **kwargs) if callable(fallback) else fallback
            return cast("T", await made if inspect.isawaitable(made) else made)

        return guarded

    return decorate
