/** Resilience: breakers, degraded features, flags, retries, rate limits and timeouts of all services. */

import { get } from "../api.js";
import { h } from "../dom.js";
import { nothing } from "../parts/fault.js";
import { watching } from "../parts/watching.js";
import { breakerDetails, breakerTable } from "./breakers.js";
import { limitTable, retryTable, timeoutTable } from "./calls.js";
import { featureDetails, featureTable, flagTable } from "./features.js";

/** @typedef {import("../contract.js").ResilienceAnswer} Answer */

const EXAMPLE = `from mita_otel.breakers import EXTERNAL, CircuitBreaker

bank = CircuitBreaker("bank", EXTERNAL.policy)

@bank
async def balance(): ...`;

export const openResilience = watching({
  title: "Resilience",
  usual: "15m",
  /** @returns {Promise<Answer>} */
  ask: (asked, signal) => get("console/resilience", asked, signal),
  show(answer, span, chosen) {
    const { heard, breakers, features, retries, limits, backends, timeouts, flags } = answer;
    if (![breakers, features, retries, limits, backends, timeouts, flags].some((list) => list.length)) return none();
    const now = { span, heard };
    return [
      part("Circuit breakers", breakers.length && breakerTable(breakers, now, chosen), "None yet: calls that go through a CircuitBreaker show up here."),
      part("Graceful degradation", features.length && featureTable(features, now, chosen), "None yet: what a Feature serves shows up here."),
      part("Feature flags", flags.length && flagTable(flags), "None yet: what OpenFeature evaluates shows up here."),
      part("Retries", retries.length && retryTable(retries), "None yet: calls that a Retry makes show up here."),
      part("Rate limits", (limits.length || backends.length) && limitTable(limits, backends), "None yet: requests that the RateLimits middleware decides about show up here."),
      part("Timeouts", timeouts.length && timeoutTable(timeouts), "None yet: waits that the Deadlines middleware or a TimeLimit ends show up here."),
    ];
  },
  tell: (answer, span, chosen) => breakerDetails(answer.breakers, span, chosen) ?? featureDetails(answer.features, span, chosen),
});

/**
 * @param {string} title
 * @param {import("../dom.js").Child} content
 * @param {string} otherwise  said where there is none
 */
const part = (title, content, otherwise) => h("section", {}, h("h2", {}, title), content || h("p", { class: "muted" }, otherwise));

const none = () =>
  nothing(
    "Nothing that protects calls yet",
    h("p", {}, "Breakers, retries, rate limits, deadlines and features show up here with the next metrics of a service that has them. A breaker is a few lines:"),
    h("pre", { tabindex: "0" }, EXAMPLE),
    h("p", {}, "Metrics come every OTEL_METRIC_EXPORT_INTERVAL, a minute unless that is set."),
  );
