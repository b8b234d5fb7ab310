"""What is told of feature flags and of features that are not what they could be."""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from openfeature.flag_evaluation import FlagEvaluationDetails
from openfeature.hook import Hook, HookContext
from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from mita_otel.degradation.modes import LADDER, Cause, Mode
from mita_otel.metrics.catalogue import degradation as catalogue
from mita_otel.metrics.recording import Total
from mita_otel.traces import request

METER: Final = "mita_otel.degradation"

FLAGS_AT_MOST: Final = 64
"""Keys of flags that are told apart in metrics; further ones are counted together."""

FEATURES_AT_MOST: Final = 32
"""Each has some series."""

_OTHER: Final = "other"
_logger: Final = logging.getLogger("mita_otel.degradation")


class EvaluationHook(Hook):
    """Counts each evaluation, and tells of one that changed.

    The key that a flag is targeted by is somebody's id, so it goes nowhere.

    Source: semantic conventions, `feature_flag.evaluation`.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str]] = {}

    def finally_after(
        self,
        hook_context: HookContext,
        details: FlagEvaluationDetails[Any],
        hints: Mapping[str, Any],  # noqa: ARG002 - the hook's signature
    ) -> None:
        """Take in how a flag was evaluated; called for errors, too."""
        key = self._filed(details.flag_key)
        variant = str(details.variant or details.value)[:64]
        reason = str(details.reason or "unknown").lower()
        request.evaluated(key, str(details.variant) if details.variant else "default")
        _evaluations().add(key=key, variant=variant if details.variant else "default", reason=reason)
        if self._last.get(key) == (variant, reason):
            return
        self._last[key] = (variant, reason)
        provider = hook_context.provider_metadata.name if hook_context.provider_metadata else ""
        attributes = {
            "feature_flag.key": details.flag_key,
            "feature_flag.result.reason": reason,
            "feature_flag.provider.name": provider,
            **(
                {"feature_flag.result.variant": details.variant}
                if details.variant
                else {"feature_flag.result.value": variant}
            ),
            **({"error.type": str(details.error_code.value)} if details.error_code else {}),
        }
        _logger.info(
            "%s is %s", details.flag_key, variant, extra={"event.name": "feature_flag.evaluation", **attributes}
        )
        trace.get_current_span().add_event("feature_flag.evaluation", attributes)

    def _filed(self, key: str) -> str:
        return key if key in self._last or len(self._last) < FLAGS_AT_MOST else _OTHER


class Modes:
    """The modes of this process's features: what each had last, and since when."""

    __slots__ = ("_now",)

    def __init__(self) -> None:
        self._now: dict[str, tuple[Mode, Cause]] = {}

    def served(self, feature: str, mode: Mode, cause: Cause, age: float | None) -> None:
        """Take in how a request was served; tell of it where that is new."""
        before = self._now.get(feature)
        self._now[feature] = (mode, cause)
        _served().add(feature=feature, mode=mode.value, cause=cause.value)
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attribute("mita.degraded.mode", mode.value)
            if mode is not Mode.FULL:
                span.set_attributes({"mita.degraded.feature": feature, "mita.degraded.cause": cause.value})
            if age is not None:
                span.set_attribute("mita.degraded.age", age)
        if before is not None and before[0] is mode:
            return
        if before is None and mode is Mode.FULL:
            return
        level = logging.INFO if mode is Mode.FULL else logging.WARNING
        _logger.log(
            level,
            "%s is %s",
            *(feature, mode.value),
            extra={
                "event.name": "mita.degradation.change",
                "mita.degraded.feature": feature,
                "mita.degraded.mode": mode.value,
                "mita.degraded.cause": cause.value,
                "mita.degraded.previous_mode": before[0].value if before else "",
            },
        )

    def known(self, feature: str) -> None:
        """Begin to tell of a feature, in full until somebody gets less.

        Raises:
            ValueError: there are 32 others already.
        """
        if feature not in self._now and len(self._now) >= FEATURES_AT_MOST:
            raise ValueError(f"{feature!r}: there are {FEATURES_AT_MOST} features already")
        self._now.setdefault(feature, (Mode.FULL, Cause.NONE))
        _observed(self)

    def now(self) -> Mapping[str, tuple[Mode, Cause]]:
        """Return what each feature had last."""
        return dict(self._now)

    def observations(self, _: CallbackOptions) -> Iterable[Observation]:
        """Return one for the mode that each feature has, and zeros for the others."""
        return [
            Observation(int(mode is now), {"feature": feature, "mode": mode.value})
            for feature, (now, _cause) in self._now.copy().items()
            for mode in LADDER
        ]


MODES: Final = Modes()
"""Those of this process."""


@lru_cache(1)
def _evaluations() -> Total:
    return Total(catalogue.EVALUATIONS, get_meter(METER))


@lru_cache(1)
def _served() -> Total:
    return Total(catalogue.SERVED, get_meter(METER))


@lru_cache(4)
def _observed(modes: Modes) -> None:
    catalogue.ACTIVE.observe(get_meter(METER), modes.observations)
