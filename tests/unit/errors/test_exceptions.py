"""Errors that an application raises."""

from collections.abc import Iterator

import pytest

from mita_otel import errors
from mita_otel.errors import Severity, StandardizedAPIException


def tree() -> Iterator[type[StandardizedAPIException]]:
    known = StandardizedAPIException.__subclasses__()
    return (kind for kind in known if kind.__module__ == StandardizedAPIException.__module__)


def test_the_tree_has_every_class_of_the_report() -> None:
    reported = {
        "AuthenticationError", "AuthorizationError", "ValidationError", "ResourceNotFoundError", "BusinessLogicError",
        "DatabaseError", "RateLimitError",
    }  # fmt: skip
    assert reported <= {kind.__name__ for kind in tree()} & set(errors.__all__)


def test_codes_and_statuses_are_each_classs_own() -> None:
    codes = [kind("").code for kind in tree()]
    assert len(codes) == len(set(codes))
    assert all(400 <= kind("").status < 600 for kind in tree())


def test_one_error_may_differ_from_its_class() -> None:
    error = errors.ValidationError("no", code="CURSOR_INVALID", status=400, severity=Severity.HIGH, details=["a"])
    assert (error.code, error.status, error.kind.severity) == ("CURSOR_INVALID", 400, Severity.HIGH)
    assert errors.ValidationError("no").code == "VALIDATION_2002"


@pytest.mark.parametrize(("wrong", "named"), [({"code": "lower"}, "code='lower'"), ({"status": 200}, "status=200")])
def test_what_no_client_could_read_is_refused(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        errors.ValidationError("no", **wrong)  # type: ignore[arg-type] # that is the point
