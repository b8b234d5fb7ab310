/**
 * The views of the page, in the order of their tabs. To add one, write a function as `Open` says and list it here: its
 * tab, its key and its address `#/<id>` follow.
 */

import { openHealth } from "./health/open.js";
import { openLogs } from "./logs/open.js";
import { openMetrics } from "./metrics/open.js";
import { openResilience } from "./resilience/open.js";
import { openServices } from "./services/open.js";
import { openSlo } from "./slo/open.js";
import { openTrace } from "./trace/open.js";
import { openSearch } from "./traces/search.js";

/**
 * Fills `place` for a route, listens until `signal` is aborted, and returns how to follow a change of the address.
 *
 * @callback Open
 * @param {HTMLElement} place
 * @param {import("./route.js").Route} route
 * @param {AbortSignal} signal
 * @returns {{update: (route: import("./route.js").Route) => void}}
 */

/**
 * @typedef {object} View
 * @property {string} id
 * @property {string} title
 * @property {Open} list     without an item in the address
 * @property {Open} item     with one; the same function if it shows both
 */

/** @type {View[]} */
export const views = [
  { id: "traces", title: "Traces", list: openSearch, item: openTrace },
  { id: "logs", title: "Logs", list: openLogs, item: openLogs },
  { id: "metrics", title: "Metrics", list: openMetrics, item: openMetrics },
  { id: "services", title: "Services", list: openServices, item: openServices },
  { id: "resilience", title: "Resilience", list: openResilience, item: openResilience },
  { id: "health", title: "Health", list: openHealth, item: openHealth },
  { id: "slo", title: "SLO", list: openSlo, item: openSlo },
];
