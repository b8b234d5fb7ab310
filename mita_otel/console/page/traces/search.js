/** The search for traces: filters, latencies over time, and the list of what was found. */

import { get, searchBack } from "../api.js";
import { fill, h } from "../dom.js";
import { clock, counted } from "../format.js";
import { bind } from "../keys.js";
import { every } from "../live.js";
import { attempt } from "../parts/fault.js";
import { field, focusOn, select } from "../parts/fields.js";
import { liveButton } from "../parts/live_button.js";
import { walk } from "../parts/rows.js";
import { changed, go } from "../route.js";
import { finding } from "./finding.js";
import { form, readQuery, showForm } from "./form.js";
import { empty, rows, SORTS } from "./results.js";
import { scatter } from "./scatter.js";

const PAGE = 200; // traces
const MOST = 500; // traces that a live list keeps, unless somebody asked for more
const NEWS = 2000; // ms between two looks for new traces
const LATE = 60e6; // µs: how late a span may come and still change a trace that is shown

/** What was found last, shown at once when somebody comes back. @type {{key: string, found: ReturnType<typeof finding>, scroll: number} | null} */
let last = null;

/** @type {import("../views.js").Open} */
export function openSearch(place, route, signal) {
  const fields = form();
  const fault = h("div", { class: "slot" });
  const picture = scatter(signal);
  const list = h("ol", { class: "rows traces", "aria-label": "Traces" });
  const said = h("p", { class: "said", role: "status" });
  const sort = select("sort", SORTS);
  const live = liveButton("traces");
  const news = h("button", { class: "button news", type: "button", hidden: true, onclick: take });
  const more = h("div", { class: "more-below slot" });
  const bar = h("div", { class: "bar" }, said, news, field("sort by", sort, "inline"), live.element);
  fill(place, h("h1", { class: "unseen", tabIndex: -1 }, "Traces"), fields, fault, picture.element, bar, list, more);

  let query = route.query;
  let search = new AbortController();
  let found = finding();
  let waiting = finding(); // came while the pointer rested on the list
  let most = MOST;
  sort.addEventListener("change", () => go(changed({ sort: sort.value === SORTS[0][0] ? "" : sort.value })));
  walk(list, signal);
  bind({ r: () => void start(), p: live.flip, "/": () => focusOn(fields, "tags") }, signal);
  signal.addEventListener("abort", () => {
    search.abort();
    last = { key: keyOf(query), found, scroll: place.scrollTop };
  });

  /** Ask from the newest on. */
  async function start() {
    search.abort();
    search = new AbortController();
    waiting = finding();
    news.hidden = true;
    await attempt(fault, () => collect(PAGE, search.signal), search.signal);
  }

  /**
   * @param {number} limit
   * @param {AbortSignal} signal
   * @param {string | null} [before]
   */
  async function collect(limit, signal, before) {
    const asked = { ...readQuery(query), before };
    /** @type {ReturnType<typeof finding> | null} */
    let fresh = before ? null : finding();
    for await (const answer of searchBack("console/traces", asked, "traces", limit, signal)) {
      if (fresh) found = fresh;
      fresh = null;
      found.add(answer.traces);
      found.next = answer.next;
      found.searchedTo = answer.searched_to;
      show(found.size < limit && answer.next);
    }
    show(false);
  }

  /** @param {unknown} going  on by itself */
  function show(going) {
    const traces = found.sorted(query.sort ?? SORTS[0][0]);
    picture.show(traces);
    rows(list, traces);
    const back = found.next || found.trimmed ? `, searched back to ${clock(found.searchedTo, 0)}${going ? ", going on …" : ""}` : "";
    said.textContent = `${counted(traces.length, "trace")}${back}`;
    const canGoOn = (found.next || found.trimmed) && !going;
    fill(
      more,
      canGoOn && h("button", { class: "button", type: "button", onclick: goOn }, `Go on before ${clock(found.searchedTo, 0)}`),
      !canGoOn && !found.next && !traces.length && empty(query),
    );
  }

  /** Ask for what comes before; from the newest on, if what is shown does not reach as far as what was searched. */
  function goOn() {
    most = Math.max(most, found.size + PAGE);
    const [limit, before] = found.trimmed ? [found.size + PAGE, null] : [PAGE, found.next];
    void attempt(fault, () => collect(limit, search.signal, before), search.signal);
  }

  /** Ask for what is new, and show it; as long as the pointer rests on the list, only how many there are. */
  async function look() {
    if (live.paused || fault.firstChild) return;
    const start = Math.max(Date.now() * 1000 - LATE, readQuery(query).start ?? 0);
    const answer = await get("console/traces", { ...readQuery(query), start, limit: PAGE }, search.signal);
    waiting.add(answer.traces);
    const number = waiting.sorted("newest").filter((trace) => !found.has(trace.traceID)).length;
    if (!list.matches(":hover")) return take();
    news.hidden = number === 0;
    news.textContent = `↑ ${counted(number, "new trace")}`;
  }

  function take() {
    const changed = found.add(waiting.sorted("newest"));
    waiting = finding();
    news.hidden = true;
    found.trim(most);
    if (changed) show(false);
  }

  /** @param {import("../route.js").Route} route */
  function update(route) {
    const before = keyOf(query);
    query = route.query;
    showForm(fields, query, signal);
    sort.value = query.sort ?? SORTS[0][0];
    live.show(query);
    if (before !== keyOf(query)) void start();
    else show(false);
  }

  if (last?.key === keyOf(query)) {
    found = last.found;
    update(route);
    place.scrollTop = last.scroll;
  } else {
    update(route);
  }
  void start();
  void every(NEWS, look, signal);
  return { update };
}

/**
 * Return what the search depends on.
 *
 * @param {import("../route.js").Query} query
 */
const keyOf = ({ sort, live, ...asked }) => JSON.stringify(Object.entries(asked).sort());
