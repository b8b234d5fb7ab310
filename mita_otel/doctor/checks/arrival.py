"""Whether the probe span got to where people look for it."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts, Look
from mita_otel.doctor.model import Judgement, ok, warning


def judge(facts: Facts) -> Iterator[Judgement]:
    """Say where the span was found, or where it was not."""
    for look in facts.looks:
        if look.found:
            yield ok(f"the probe span is in {look.where} at {look.url}, after {look.seconds:.1f} s")
            return
    for look in facts.looks:
        if look.given and not look.answers:
            yield warning(
                f"no {look.where} answers at {look.variable}={look.url}",
                f"start {look.where}, or correct {look.variable}",
            )
    answering = [look for look in facts.looks if look.answers]
    if answering:
        yield _lost(answering)
    elif facts.looks and not any(look.given for look in facts.looks):
        yield ok(
            f"accepted; nothing answers at {' or '.join(look.url for look in facts.looks)}, so it is not looked for"
        )


def _lost(looks: list[Look]) -> Judgement:
    places = " and ".join(f"{look.where} at {look.url}" for look in looks)
    variables = " or ".join(look.variable for look in looks)
    return warning(
        f"the probe span was accepted, but {places} did not have it after {looks[0].seconds:.0f} s",
        "look at the Collector's log and at its pipeline for traces: exporters, a sampler that drops it; if it sends "
        f"elsewhere, correct {variables}",
    )
