"""Which distribution and configurator the launcher chooses, and whether the chosen ones did start."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

OURS: Final = "mita"

_CHOICES: Final = {
    "OTEL_PYTHON_DISTRO": ("distribution", "opentelemetry_distro"),
    "OTEL_PYTHON_CONFIGURATOR": ("configurator", "opentelemetry_configurator"),
}


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name a choice that is not ours, and whatever could be chosen in our place."""
    if facts.packages is None:
        return
    wrong = list(_wrong_choices(facts))
    yield from wrong
    yield from _others(facts)
    if not wrong and (facts.process is None or facts.process.ours):
        yield ok("distribution and configurator 'mita' are chosen")


def _wrong_choices(facts: Facts) -> Iterator[Judgement]:
    for variable, (what, group) in _CHOICES.items():
        chosen = facts.variables.get(variable, "").strip() or OURS
        offered = _offered(facts, group)
        if chosen == OURS and OURS in offered:
            continue
        if chosen == OURS:
            yield error(f"the {what} 'mita' is not registered", "pip install --force-reinstall mita-otel")
        else:
            there = "" if chosen in offered else ", which is not installed,"
            yield error(
                f"{variable}={chosen} chooses another {what}{there} and mita_otel does not start",
                f"remove {variable} or set it to mita, or start the service with mita-instrument",
            )


def _others(facts: Facts) -> Iterator[Judgement]:
    """Name packages that register one as well: without the launcher's command line the order of folders decides."""
    unset = [variable for variable in _CHOICES if not facts.variables.get(variable, "").strip()]
    others = {
        package: f"{what} '{name}'"
        for variable, (what, group) in _CHOICES.items()
        for name, package in _offered(facts, group).items()
        if name != OURS and variable in unset
    }
    for package, offer in others.items():
        yield warning(
            f"{package} is installed, too, and offers the {offer}; what starts without the launcher's command line, as "
            "by the Kubernetes operator, takes whichever is found first",
            f"pip uninstall {package}, or set {' and '.join(f'{name}=mita' for name in unset)}, or use mita-instrument",
        )


def _offered(facts: Facts, group: str) -> dict[str, str]:
    entry_points = facts.packages.entry_points if facts.packages else ()
    return {entry.name: entry.package for entry in entry_points if entry.group == group}


def judge_start(facts: Facts) -> Iterator[Judgement]:
    """Say whether a process with these settings starts with telemetry."""
    process = facts.process
    if facts.settings.sdk_disabled:
        yield error("OTEL_SDK_DISABLED=true: nothing is measured", "remove OTEL_SDK_DISABLED")
    elif process is None:
        return
    elif process.failure:
        yield error(
            f"a process with these settings did not start: {process.failure}",
            "mend what it says; mita-instrument python -c pass shows all that it says",
        )
    elif process.ours:
        yield ok("a process with these settings starts, with all three signals")
    elif not list(_wrong_choices(facts)):
        yield error(
            "a process with these settings starts without telemetry: "
            f"its spans go to {process.providers.get('traces', 'nowhere')}",
            "mita-instrument python -c pass shows why; MITA_STRICT=1 makes it fail instead",
        )
