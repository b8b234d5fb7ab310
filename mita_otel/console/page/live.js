/** Doing something again and again, as long as somebody looks. */

/**
 * Call `work` every `pause` ms until `signal` is aborted; never twice at the same time, and not while the page is
 * hidden. What fails is tried again after the next pause.
 *
 * @param {number} pause
 * @param {() => Promise<unknown>} work
 * @param {AbortSignal} signal
 */
export async function every(pause, work, signal) {
  while (await rest(pause, signal)) {
    if (document.hidden) continue;
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      console.debug(error);
    }
  }
}

/**
 * Wait; return whether to go on.
 *
 * @param {number} pause  ms
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
function rest(pause, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return void resolve(false);
    const end = () => (clearTimeout(timer), resolve(false));
    const timer = setTimeout(() => (signal.removeEventListener("abort", end), resolve(true)), pause);
    signal.addEventListener("abort", end, { once: true });
  });
}

/**
 * Return a function that calls `work` in the next frame, once for however many calls.
 *
 * @param {() => void} work
 */
export function inNextFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
