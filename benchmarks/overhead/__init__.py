"""What telemetry costs a service: ours beside vanilla OpenTelemetry and its peers, and what each of them delivered.

Run `python -m benchmarks.overhead --help`. Read in this order: `variants` (who is compared), `application/service.py`
(on what), `rounds` (how a round is measured), `figures` (what is made of the measurements), `report`.
"""
