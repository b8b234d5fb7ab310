"""The table of instruments is complete, agrees with the conventions, and bounds every attribute."""

import re
from pathlib import Path

import opentelemetry.semconv
import pytest
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from mita_otel.metrics.catalogue import INSTRUMENTS, TOPICS, instruments_of
from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, Instrument, UpDownCounter

PACKAGE = Path(__file__).parents[3] / "mita_otel"
CONVENTIONS = Path(next(iter(opentelemetry.semconv.__path__)))
STANDARD = [name for name, instrument in INSTRUMENTS.items() if instrument.source != OURS]
MAKING = re.compile(r"\.create_(?:observable_)?(?:counter|up_down_counter|histogram|gauge)\(|db_metrics|otel_metrics")

each = pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=str)


def _standard() -> dict[str, tuple[str, str]]:
    """Kind and unit of every metric of the installed conventions."""
    told = re.compile(r'^\w+: Final = "([^"]+)"\n"""\n.*?^Instrument: (\w+)\nUnit: (\S+)$', re.DOTALL | re.MULTILINE)
    found = {}
    for module in CONVENTIONS.rglob("*_metrics.py"):
        for constant in module.read_text().split("\n\n"):
            if match := told.search(constant):
                found[match[1]] = (match[2], match[3])
    return found


def test_a_name_is_used_once() -> None:
    assert sum(len(instruments_of(topic)) for topic in TOPICS) == len(INSTRUMENTS)


def test_nothing_makes_an_instrument_outside_of_the_table() -> None:
    makers = {
        str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if MAKING.search(path.read_text("utf-8"))
    }
    assert makers == {"metrics/instrument.py"}


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_instrument_has_the_kind_and_unit_of_the_conventions(name: str) -> None:
    instrument = INSTRUMENTS[name]
    kind = {"up-down counter": "updowncounter"}.get(instrument.kind, instrument.kind)
    assert (kind, instrument.unit) == _standard()[name]


@each
def test_an_instrument_of_ours_is_called_ours(instrument: Instrument) -> None:
    assert (instrument.source == OURS) == instrument.name.startswith("mita.")


@each
def test_each_attribute_has_a_closed_set_or_says_what_bounds_it(instrument: Instrument) -> None:
    assert [a.name for a in instrument.attributes if bool(a.values) == bool(a.bound)] == []
    assert len(instrument.attribute_names) == len(instrument.attributes)


@each
def test_units_translate_to_names_without_surprises(instrument: Instrument) -> None:
    assert re.fullmatch(r"s|By|%|\{[A-Za-z_]+\}|", instrument.unit)
    if not isinstance(instrument, Histogram | Gauge):
        assert instrument.unit != "", "a count says of what"


@each
def test_buckets_ascend(instrument: Instrument) -> None:
    if isinstance(instrument, Histogram):
        assert list(instrument.buckets) == sorted(set(instrument.buckets))


@each
def test_a_description_is_one_sentence(instrument: Instrument) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*\.", instrument.description)


@pytest.mark.parametrize(
    "instrument",
    [
        Counter(name="mita.a", unit="{thing}", description="Things.", source=OURS),
        UpDownCounter(name="mita.a", unit="{thing}", description="Things.", source=OURS),
        Gauge(name="mita.a", unit="s", description="Age.", source=OURS),
        Histogram(name="mita.a", unit="s", description="Durations.", source=OURS, buckets=(1.0, 2.0)),
    ],
    ids=lambda instrument: instrument.kind,
)
def test_what_is_written_in_the_table_is_what_is_exported(instrument: Instrument) -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider(metric_readers=[reader], shutdown_on_exit=False).get_meter("test")

    def read(_: CallbackOptions) -> list[Observation]:
        return [Observation(1)]

    if isinstance(instrument, Histogram):
        instrument.create(meter).record(1.5)
    elif isinstance(instrument, Counter | UpDownCounter | Gauge):
        instrument.observe(meter, read)
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit, metric.description) == ("mita.a", instrument.unit, instrument.description)
    (point,) = metric.data.data_points
    assert getattr(point, "explicit_bounds", None) == getattr(instrument, "buckets", None)
    assert getattr(metric.data, "is_monotonic", None) == {"counter": True, "up-down counter": False}.get(
        instrument.kind
    )
