"""The report takes the place of the last one on a page, and leaves the rest of it alone."""

import pytest

from benchmarks.overhead.faults import MeasurementError
from benchmarks.overhead.report.page import BEGINNING, END, put

PAGE = f"# Page\n\nBefore.\n\n{BEGINNING}\n\n## Old\n\n{END}\n\nAfter.\n"


def test_a_report_takes_the_place_of_the_last_one_a_level_below_the_page() -> None:
    assert put(PAGE, "# New\n\n## Part\n\nWords # and words.\n") == (
        f"# Page\n\nBefore.\n\n{BEGINNING}\n\n## New\n\n### Part\n\nWords # and words.\n\n{END}\n\nAfter.\n"
    )


def test_putting_a_report_twice_changes_nothing_more() -> None:
    once = put(PAGE, "# New\n")
    assert put(once, "# New\n") == once


@pytest.mark.parametrize("page", ["# Page\n", f"{BEGINNING}\n", f"{END}\n{BEGINNING}\n"])
def test_a_page_without_a_place_is_refused_with_the_marks_that_it_needs(page: str) -> None:
    with pytest.raises(MeasurementError, match=r"the report of benchmarks\.overhead begins"):
        put(page, "# New\n")
