"""The report as a part of a page that people write: between two marks, a level below the page's own headings."""

import re
from typing import Final

from benchmarks.overhead.faults import MeasurementError

BEGINNING: Final = "<!-- the report of benchmarks.overhead begins -->"
END: Final = "<!-- the report of benchmarks.overhead ends -->"

_HEADING: Final = re.compile(r"^(#+ )", re.MULTILINE)


def put(page: str, report: str) -> str:
    """Return a page with a report in the place of its last one.

    Args:
        page: has the two marks, each once and on a line of its own.
        report: in Markdown.

    Raises:
        MeasurementError: the page has no place for a report.
    """
    before, beginning, rest = page.partition(f"{BEGINNING}\n")
    _, end, after = rest.partition(END)
    if not beginning or not end:
        raise MeasurementError(f"the page has no place for the report: write the lines {BEGINNING} and {END}")
    lowered = _HEADING.sub(r"#\1", report).strip()
    return f"{before}{beginning}\n{lowered}\n\n{end}{after}"
