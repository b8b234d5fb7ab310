/** Light, dark, or as the system says. The choice is kept; `early.js` applies it before the first paint. */

const KEY = "mita-console-theme";

/** Return what is shown now. */
export function shown() {
  return document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Show the other one; the system's own is not kept, so that the page goes on following the system. */
export function toggle() {
  const wanted = shown() === "dark" ? "light" : "dark";
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  if (wanted === system) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  try {
    if (wanted === system) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, wanted);
  } catch {
    // A browser that keeps nothing still shows it.
  }
}
