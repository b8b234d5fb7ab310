/** Applies the kept theme before anything is painted; `theme.js` keeps it. */
try {
  const kept = localStorage.getItem("mita-console-theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
} catch {
  // Storage is switched off: the system's theme it is.
}
