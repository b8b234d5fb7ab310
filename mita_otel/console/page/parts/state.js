/** States of breakers, features, checks and services: a word with a colour, and how many processes are in it. */

import { h } from "../dom.js";
import { count } from "../format.js";
import { moment } from "./moment.js";

/** @typedef {"bad" | "warn" | "ok" | "calm"} Tone */

const SILENT = 150e6; // µs without metrics, after which a service may be gone

/** From the worst to the best. @type {[Tone, Set<string>][]} */
const TONES = [
  ["bad", new Set(["open", "forced_open", "unhealthy", "critical", "off", "down", "not ready", "high", "exhausted", "freeze", "invalid", "page"])],
  ["warn", new Set(["half_open", "disabled", "metrics_only", "degraded", "generic", "cached", "medium", "at_risk", "slowdown", "caution", "ticket"])],
  ["ok", new Set(["closed", "healthy", "full", "up", "ready", "ok", "normal"])],
];

/**
 * Return the tone of a state; what nobody knows is calm.
 *
 * @param {string} name
 * @returns {Tone}
 */
export const toneOf = (name) => TONES.find(([, names]) => names.has(name))?.[0] ?? "calm";

/**
 * Return a state's name as people write it.
 *
 * @param {string} name
 */
export const worded = (name) => name.replaceAll("_", " ") || "unknown";

/**
 * @param {string} name
 * @param {string} [said]
 */
export const state = (name, said = worded(name)) => h("span", { class: `state ${toneOf(name)}` }, said);

/**
 * Return the states that processes are in, the worst first.
 *
 * @param {import("../contract.js").Tally} tally
 * @param {Record<string, string>} [words]  for them
 */
export function states(tally, words = {}) {
  const found = Object.entries(tally).sort(([one], [other]) => badness(other) - badness(one));
  const all = found.reduce((sum, [, processes]) => sum + processes, 0);
  if (!found.length) return h("span", { class: "muted" }, "not heard of");
  return h("span", { class: "states" }, found.map(([name, processes]) => [state(name, words[name]), found.length > 1 && h("span", { class: "muted" }, `${count(processes)} of ${count(all)}`)]));
}

/**
 * Return the worst of the states that processes are in; empty for none.
 *
 * @param {import("../contract.js").Tally} tally
 */
export const worst = (tally) => Object.keys(tally).sort((one, other) => badness(other) - badness(one))[0] ?? "";

/**
 * Return a number that is the higher the worse a state is.
 *
 * @param {string} name
 */
export function badness(name) {
  const place = TONES.findIndex(([, names]) => names.has(name));
  return place < 0 ? -1 : (TONES.length - place) * 100 - [...TONES[place][1]].indexOf(name);
}

/**
 * Return a note for a service that has not been heard of for a while, and may be gone.
 *
 * @param {number | undefined} heard  µs
 * @param {[number, number]} span
 */
export const silence = (heard, [, now]) => heard !== undefined && now - heard > SILENT && h("div", { class: "muted" }, "last heard of at ", moment(heard, 0));
