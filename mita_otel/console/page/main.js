/** The page: it shows the view that the address names. */

import { bind, listen, showKeys } from "./keys.js";
import { hideTip } from "./parts/tip.js";
import { address, go, here, remember } from "./route.js";
import { buildHeader, watchConsole } from "./shell.js";
import { views } from "./views.js";

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const header = buildHeader(views);

/** @type {{open: import("./views.js").Open, page: {update: (route: import("./route.js").Route) => void}, end: AbortController} | null} */
let shown = null;

function show() {
  const route = here();
  const view = views.find(({ id }) => id === route.view);
  if (!view) return go(address(views[0].id), { replace: true });
  remember();
  hideTip();
  header.mark(view.id);
  const open = route.item ? view.item : view.list;
  if (shown?.open === open) return shown.page.update(route);
  const first = shown === null;
  shown?.end.abort();
  main.replaceChildren();
  main.dataset.view = view.id;
  main.scrollTop = 0;
  document.title = `${view.title} · mita_otel console`;
  const end = new AbortController();
  shown = { open, page: open(main, route, end.signal), end };
  if (!first) /** @type {HTMLElement | null} */ (main.querySelector("h1"))?.focus({ preventScroll: true });
}

listen();
bind({ "?": showKeys, t: header.flip, ...Object.fromEntries(views.map(({ id }, index) => [String(index + 1), () => go(address(id))])) });
addEventListener("hashchange", show);
watchConsole();
show();
