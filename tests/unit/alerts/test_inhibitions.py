"""What silences what, as a table: sound in itself, and on the page."""

from typing import Final

import pytest

from mita_otel.alerts import ALERTS
from mita_otel.alerts.inhibitions import INHIBITIONS, Inhibition
from mita_otel.alerts.logs import TAMPERING
from mita_otel.logs.audit.telling import EVENT
from tests.fixtures.service import ROOT

SEVERITIES: Final = {"MitaErrorThreshold": "high", **{each.name: each.severity for each in ALERTS}}
GRAVITY: Final = {"info": 0, "warning": 1, "high": 1, "critical": 2}
GUARDED: Final = {each.name for each in ALERTS if each.category == "security"} | {
    *("MitaAlertDeliveryFailing", "MitaAlertmanagerUnreachable", "MitaRuleEvaluationFailing", "MitaWatchdog")
}
PAGE: Final = (ROOT / "docs" / "alert-routing.md").read_text()


@pytest.mark.parametrize("inhibition", INHIBITIONS, ids=lambda inhibition: inhibition.name.replace(" ", "-"))
def test_no_symptom_is_graver_than_its_cause_and_no_attack_is_a_symptom(inhibition: Inhibition) -> None:
    assert set(inhibition.cause) | set(inhibition.symptoms) <= set(SEVERITIES)
    grave = min(GRAVITY[SEVERITIES[cause]] for cause in inhibition.cause)
    assert [name for name in inhibition.symptoms if GRAVITY[SEVERITIES[name]] > grave] == []
    assert [name for name in inhibition.symptoms if name in GUARDED and not inhibition.among] == []
    assert not set(inhibition.cause) & set(inhibition.symptoms)


@pytest.mark.parametrize("inhibition", INHIBITIONS, ids=lambda inhibition: inhibition.name.replace(" ", "-"))
def test_the_page_names_cause_and_symptoms(inhibition: Inhibition) -> None:
    assert [name for name in (*inhibition.cause, *inhibition.symptoms) if f"`{name}`" not in PAGE] == []


def test_the_rule_looks_for_the_event_that_a_verification_tells() -> None:
    assert TAMPERING == EVENT
