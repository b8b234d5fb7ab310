"""The service under Logfire, which is started in code."""

import logging
import os

import logfire  # type: ignore[import-not-found] # in the environment of its variant alone

share = os.environ.get("LOGFIRE_SHARE")
logfire.configure(
    send_to_logfire=False,
    console=False,
    inspect_arguments=False,
    sampling=logfire.SamplingOptions(head=float(share)) if share else None,
)

# As its documentation has it: after `configure`.
from service import app, engine  # type: ignore[import-not-found] # noqa: E402 - its neighbour in this folder

logfire.instrument_fastapi(app)
logfire.instrument_sqlalchemy(engine=engine)
logfire.instrument_asyncpg()
logfire.instrument_redis()
logfire.instrument_httpx()
logfire.instrument_system_metrics()
logging.getLogger().addHandler(logfire.LogfireLoggingHandler())
