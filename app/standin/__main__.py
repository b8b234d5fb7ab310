"""Runs the stand-in: `python -m app.standin --port 8090`."""

import argparse

import uvicorn

from app import standin


def main() -> None:
    """Run the stand-in."""
    parser = argparse.ArgumentParser(prog="python -m app.standin", description=standin.__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that answers wait")
    parser.add_argument("--latency-rate", type=float, default=1.0, help="share of answers that wait, 0 to 1")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of answers that are errors, 0 to 1")
    given = parser.parse_args()
    behaviour = standin.Behaviour(latency=given.latency, latency_rate=given.latency_rate, error_rate=given.error_rate)
    uvicorn.run(standin.create_app(behaviour), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
