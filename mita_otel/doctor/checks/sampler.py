"""Whether traces are recorded at all, and how many of them."""

import re
from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_RATIO: Final = re.compile(r"TraceIdRatioBased\{([0-9.eE+-]+)\}")
_ROOT: Final = re.compile(r"ParentBased\{root:(.*?),remoteParentSampled:")
_FEW: Final = 0.001
_ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"


def judge(facts: Facts) -> Iterator[Judgement]:
    """Judge the sampler that runs, and the settings that were meant to choose it."""
    name = (facts.settings.traces_sampler or "").strip()
    argument = facts.variables.get(_ARGUMENT, "").strip()
    description = facts.process.sampler if facts.process else ""
    match = _ROOT.match(description)
    root = match[1] if match else description
    ratio = _RATIO.match(root)
    share = float(ratio[1]) if ratio else None
    wrong = list(_wrong_settings(facts, name, argument))
    if root == "AlwaysOffSampler" or share == 0:
        setting = f"{_ARGUMENT}={argument}" if share == 0 else f"OTEL_TRACES_SAMPLER={name}"
        yield error(
            f"{setting}: no trace is recorded",
            "remove OTEL_TRACES_SAMPLER, or set it to parentbased_traceidratio and "
            f"{_ARGUMENT} to the share to keep, such as 0.1",
        )
    elif wrong:
        yield from wrong
    elif share is not None and share < _FEW:
        yield warning(f"{_ARGUMENT}={argument}: one trace in {1 / share:.0f} is recorded", f"raise {_ARGUMENT}")
    elif root:
        yield ok(_told(root, share))


def _told(root: str, share: float | None) -> str:
    if share is not None:
        return f"{share:.1%} of the traces that begin here are recorded"
    return "every trace that begins here is recorded" if root == "AlwaysOnSampler" else root


def _wrong_settings(facts: Facts, name: str, argument: str) -> Iterator[Judgement]:
    if name and facts.packages is not None:
        group = "opentelemetry_traces_sampler"
        known = sorted(entry.name for entry in facts.packages.entry_points if entry.group == group)
        if name not in known:
            yield warning(
                f"OTEL_TRACES_SAMPLER={name} is not known: every trace that begins here is recorded",
                f"set OTEL_TRACES_SAMPLER to one of {', '.join(known)}",
            )
    if name.endswith("traceidratio") and not _is_share(argument):
        yield warning(
            f"{_ARGUMENT}={argument} is no share between 0 and 1: every trace that begins here is recorded",
            f"set {_ARGUMENT} to a number between 0 and 1, such as 0.1",
        )


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
