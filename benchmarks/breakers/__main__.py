"""Run `python -m benchmarks.breakers`: prints the table, and writes it into the documentation with `--write`."""

import argparse
import logging
import sys

from benchmarks.breakers.behaviour import NEEDED, QUESTIONS, Finding, examine
from benchmarks.breakers.cost import ROUNDS, measure
from benchmarks.breakers.libraries import SUBJECTS, Subject
from benchmarks.breakers.page import write


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--write", action="store_true", help="put the table into the documentation")
    asked = arguments.parse_args()
    logging.disable(logging.WARNING)
    found = {subject.name: examine(subject) for subject in SUBJECTS}
    costs = measure(SUBJECTS, asked.rounds)
    lines = table(SUBJECTS, found, costs)
    print(lines)
    if asked.write:
        write("benchmarks.breakers", lines)
    return verdict(found, costs)


def table(
    subjects: tuple[Subject, ...],
    found: dict[str, dict[str, Finding]],
    costs: dict[str, tuple[float | None, float | None]],
) -> str:
    """Return the table in Markdown; what is wrong is bold."""
    heads = ["", *QUESTIONS, "adds to an awaited call", "adds to a call"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for subject in subjects:
        answers = [one.told if one.is_right else f"**{one.told}**" for one in found[subject.name].values()]
        times = ["-" if cost is None else f"{cost:.2f} us" for cost in costs[subject.name]]
        lines.append(f"| {' | '.join([subject.name, *answers, *times])} |")
    return "\n".join(lines)


def verdict(found: dict[str, dict[str, Finding]], costs: dict[str, tuple[float | None, float | None]]) -> int:
    """Say whether ours are correct, and cost no more than the fastest correct one of the others; 1 if not."""
    correct = {name for name, answers in found.items() if all(answers[needed].is_right for needed in NEEDED)}
    ours = {name for name in found if name.startswith("mita_otel")}
    others = [cost for name in correct - ours if (cost := costs[name][0]) is not None]
    dearest = max(cost for name in ours if (cost := costs[name][0]) is not None)
    print(f"correct: {', '.join(sorted(correct))}")
    print(f"the dearest of ours adds {dearest:.2f} us, the fastest correct one of the others {min(others):.2f} us")
    return int(not ours <= correct or dearest > min(others))


if __name__ == "__main__":
    sys.exit(main())
