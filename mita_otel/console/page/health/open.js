/** Health: how well services are, the checks behind that, and the groups of their errors. */

import { get } from "../api.js";
import { h } from "../dom.js";
import { counted, clock } from "../format.js";
import { note, nothing } from "../parts/fault.js";
import { watching } from "../parts/watching.js";
import { checkDetails, serviceHealth } from "./checks.js";
import { groupDetails, groupTable } from "./errors.js";

/** @typedef {{services: import("../contract.js").ServiceHealth[], errors: import("../contract.js").ErrorsAnswer}} Answer */

const EXAMPLE = `from mita_otel.health.checks import database, system
from mita_otel.web.health import HealthEndpoints, about, watching

async with watching(app, [system(), database(engine)], about("1.2.3")):
    yield`;

export const openHealth = watching({
  title: "Health",
  usual: "1h",
  /** @returns {Promise<Answer>} */
  async ask(asked, signal) {
    const [{ services }, errors] = await Promise.all([get("console/health", asked, signal), get("console/errors", asked, signal)]);
    return { services, errors };
  },
  show({ services, errors }, span, chosen) {
    const { groups, left_out: left, since, start } = errors;
    if (!services.length && !groups.length) return none();
    return [
      services.map((one) => serviceHealth(one, span, chosen)),
      h(
        "section",
        {},
        h("h2", {}, "Errors"),
        since > start && note(`There are very many: they are counted since ${clock(since, 0)}.`),
        groups.length ? groupTable(errors, chosen) : h("p", { class: "muted" }, "None in this stretch of time. Errors that the standard answers tell of show up here."),
        left > 0 && h("p", { class: "muted" }, `and ${counted(left, "group")} more, which occurred less`),
      ),
    ];
  },
  tell: ({ services, errors }, span, chosen) => checkDetails(services, span, chosen) ?? groupDetails(errors, chosen),
});

const none = () =>
  nothing(
    "No service tells of its health yet",
    h("p", {}, "Levels, checks and errors show up here with the next metrics and log lines of a service that watches itself:"),
    h("pre", { tabindex: "0" }, EXAMPLE),
    h("p", {}, "Metrics come every OTEL_METRIC_EXPORT_INTERVAL, a minute unless that is set."),
  );
