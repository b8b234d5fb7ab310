"""Measurements that keep to the catalogue: sets stay closed, amounts are amounts, and zeros are there at once."""

import itertools
import logging
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from opentelemetry.metrics import Meter, get_meter

from mita_otel.metrics.bound import BoundCounter, BoundHistogram, Handles, Series
from mita_otel.metrics.instrument import Attribute, Counter, Histogram

METER: Final = "mita_otel.metrics.business"

ZEROS_AT_MOST: Final = 64
"""Series of one counter that begin with a zero: more would cost every process more than a first increase is worth."""

_OTHER: Final = "other"
_logger: Final = logging.getLogger("mita_otel.metrics")


class Closed:
    """Keeps the attributes of one instrument to their sets."""

    __slots__ = ("_attributes", "_name", "_told")

    def __init__(self, name: str, attributes: tuple[Attribute, ...]) -> None:
        self._name = name
        self._attributes: Mapping[str, Attribute] = {attribute.name: attribute for attribute in attributes}
        self._told: set[str] = set()

    def filed(self, given: Mapping[str, object]) -> Mapping[str, str]:
        """Return the attributes with `other` in the place of each value that its set does not have.

        Such a value is logged once for each attribute; the value itself is not, as it may be anything.
        """
        # Plain strings: to the SDK a member of a StrEnum makes another series than its value, to Prometheus the same.
        return {name: str(value) if self._allows(name, value) else _OTHER for name, value in given.items()}

    def number(self, amount: float | Decimal) -> float | None:
        """Return an amount that can be added up: finite and not negative. One that cannot is logged once."""
        try:
            number = float(amount) if isinstance(amount, Decimal) else amount
        except ValueError:  # a signalling NaN
            number = math.nan
        if math.isfinite(number) and number >= 0:
            return number
        self._tell("amount", "%s: an amount that is negative or no number was not counted")
        return None

    def _allows(self, name: str, value: object) -> bool:
        if self._attributes[name].allows(value):
            return True
        self._tell(name, f"%s: a value of {name!r} that is not in its set was counted as {_OTHER!r}")
        return False

    def _tell(self, what: str, sentence: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _logger.warning(sentence, self._name)


class Total:
    """A counter of the catalogue.

    Every combination of a closed set begins at zero, for a first increase that no one saw begin is no increase to
    Prometheus.

    Args:
        instrument: its row.
        meter: makes it; by default the one of the business's measurements.
    """

    __slots__ = ("_closed", "_counter", "_handles")

    def __init__(self, instrument: Counter, meter: Meter | None = None) -> None:
        self._closed = Closed(instrument.name, instrument.attributes)
        self._counter = instrument.create(meter or get_meter(METER))
        self._handles = Handles[Series, BoundCounter](self._bind)
        sets = [[(attribute.name, str(value)) for value in attribute.values] for attribute in instrument.attributes]
        if math.prod(map(len, sets)) <= ZEROS_AT_MOST:
            for combination in itertools.product(*sets):
                self._counter.add(0, dict(combination))

    def add(self, amount: float | Decimal = 1, /, **attributes: str) -> None:
        """Count an amount, 0 and above, under the attributes."""
        number = self._closed.number(amount)
        if number is None:
            return
        if _are_texts(attributes):
            self._handles.of(tuple(attributes.items())).add(number)
        else:
            self._counter.add(number, self._closed.filed(attributes))

    def _bind(self, series: Series) -> BoundCounter:
        return BoundCounter(self._counter, self._closed.filed(dict(series)))


class Distribution:
    """A histogram of the catalogue."""

    __slots__ = ("_closed", "_handles", "_histogram")

    def __init__(self, instrument: Histogram) -> None:
        self._closed = Closed(instrument.name, instrument.attributes)
        self._histogram = instrument.create(get_meter(METER))
        self._handles = Handles[Series, BoundHistogram](self._bind)

    def record(self, amount: float, /, **attributes: str) -> None:
        """Record an amount, 0 and above, under the attributes."""
        number = self._closed.number(amount)
        if number is None:
            return
        if _are_texts(attributes):
            self._handles.of(tuple(attributes.items())).record(number)
        else:
            self._histogram.record(number, self._closed.filed(attributes))

    def _bind(self, series: Series) -> BoundHistogram:
        return BoundHistogram(self._histogram, self._closed.filed(dict(series)))


def _are_texts(attributes: Mapping[str, object]) -> bool:
    """Say whether attributes can be looked up: of other types some cannot, and 1 would be found for True."""
    return all(isinstance(value, str) for value in attributes.values())
