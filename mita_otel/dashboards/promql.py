"""Expressions as panels need them: of what the variables choose, and without holes where nothing happened.

Labels are matched by keyword: `status="5.."` is `=`, `status="~5.."` is `=~`, and a `!` before either turns it round.
"""

from typing import Final

_SERVICE: Final = {"service_name": "~$service", "deployment_environment_name": "~$environment"}
_PROCESS: Final = {**_SERVICE, "service_instance_id": "~$instance"}
_SIGNS: Final = {"!~": "!~", "~": "=~", "!": "!=", "": "="}


def select(name: str, **labels: str) -> str:
    """Return series, whatever is chosen."""
    return f"{name}{{{', '.join(_matcher(label, value) for label, value in labels.items())}}}"


def of(name: str, **labels: str) -> str:
    """Return the series of the chosen processes."""
    return select(name, **_PROCESS, **labels)


def whole(name: str, **labels: str) -> str:
    """Return series that rules record of a whole service, over all its processes."""
    return select(name, **_SERVICE, **labels)


def rate(name: str, **labels: str) -> str:
    """Return by how much counters of the chosen processes grow a second."""
    return f"rate({of(name, **labels)}[$__rate_interval])"


def rise(name: str, **labels: str) -> str:
    """Return by how much counters of the chosen processes grew in the chosen time."""
    return f"increase({of(name, **labels)}[$__range])"


def total(series: str, *by: str) -> str:
    """Return a sum, by labels or of all."""
    return f"sum by ({', '.join(by)}) ({series})" if by else f"sum({series})"


def share(part: str, all_of_it: str) -> str:
    """Return a ratio; none where there is nothing to take a part of: that is neither 0 nor 1."""
    return f"({part} or {all_of_it} * 0) / ({all_of_it} > 0)"


def or_zero(series: str) -> str:
    """Return 0 where a series is missing because what it counts has not happened yet."""
    # `on ()`, for else a zero without a name would stand beside what has one.
    return f"{series} or on () vector(0)"


def quantile(below: float, histogram: str, *by: str, **labels: str) -> str:
    """Return what a share of the measurements stays below; over all processes, and not a mean of theirs."""
    return f"histogram_quantile({below:g}, {total(rate(f'{histogram}_bucket', **labels), 'le', *by)})"


def _matcher(label: str, value: str) -> str:
    sign = next(sign for sign in _SIGNS if value.startswith(sign))
    return f'{label}{_SIGNS[sign]}"{value.removeprefix(sign)}"'
