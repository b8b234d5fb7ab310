import pytest

from benchmarks.overhead.__main__ import main


@pytest.mark.parametrize(
    "words",
    [
        ("--variants", "newrelic"),
        ("--requests", ""),
        ("--rounds", "0"),
        ("--rounds", "many"),
        ("--seconds", "nan"),
        ("--seconds", "inf"),
        ("--paced", "-1"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_started(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert "is not allowed: it takes" in capsys.readouterr().err


def test_help_names_variants_and_requests(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = capsys.readouterr().out
    assert "ddtrace-10" in told
    assert "mixed, db, ping" in told
