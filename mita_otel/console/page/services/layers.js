/** Places the nodes of the service map: callers left of callees, with few crossings. */

/** @typedef {import("../contract.js").MapNode} MapNode */
/** @typedef {import("../contract.js").MapEdge} MapEdge */
/** @typedef {{x: number, y: number}} Place */
/** @typedef {{nodes: (MapNode & Place)[], edges: (MapEdge & {points: Place[]})[], width: number, height: number}} Drawn */

export const BOX = { width: 168, height: 54, across: 128, down: 26 }; // px: of a node, and between two

const SWEEPS = 6;

/**
 * @param {import("../contract.js").MapAnswer} map
 * @returns {Drawn}
 */
export function layOut({ nodes, edges }) {
  const known = new Map(nodes.map((node) => [node.name, node]));
  const real = edges.filter((edge) => known.has(edge.caller) && known.has(edge.callee) && edge.caller !== edge.callee);
  const ranks = rank([...known.keys()], real);
  /** @type {string[][]} */
  const layers = [];
  for (const [name, level] of ranks) (layers[level] ??= []).push(name);
  const chains = real.map((edge) => ({ edge, chain: link(edge, ranks, layers) }));
  order(layers, chains.map(({ chain }) => chain));
  const places = placed(layers);
  const at = (/** @type {string} */ name) => /** @type {Place} */ (places.get(name));
  const tallest = layers.reduce((most, layer) => Math.max(most, layer.length), 0);
  return {
    nodes: nodes.map((node) => ({ ...node, ...at(node.name) })),
    edges: withPorts(chains.map(({ edge, chain }) => ({ ...edge, points: chain.map(at) }))),
    width: layers.length * (BOX.width + BOX.across) - BOX.across,
    height: tallest * (BOX.height + BOX.down) - BOX.down,
  };
}

/**
 * Give the lines of one node's side a place each, in the order of where they lead, so that they can be told apart.
 *
 * @param {(MapEdge & {points: Place[]})[]} edges
 */
function withPorts(edges) {
  const ports = edges.map(({ points }) => ({ points: points.map((point) => ({ ...point })) }));
  for (const [side, next] of /** @type {const} */ ([[0, 1], [-1, -2]])) {
    const name = side === 0 ? "caller" : "callee";
    for (const node of new Set(edges.map((edge) => edge[name]))) {
      const own = edges.flatMap((edge, index) => (edge[name] === node ? [index] : []));
      own.sort((one, other) => (edges[one].points.at(next)?.y ?? 0) - (edges[other].points.at(next)?.y ?? 0));
      own.forEach((index, place) => {
        const point = ports[index].points.at(side);
        if (point) point.y += (place - (own.length - 1) / 2) * Math.min(10, (BOX.height - 16) / own.length);
      });
    }
  }
  return edges.map((edge, index) => ({ ...edge, points: ports[index].points }));
}

/**
 * Return each node's layer: one more than that of its farthest caller. Calls that close a circle do not count.
 *
 * @param {string[]} names
 * @param {MapEdge[]} edges
 * @returns {Map<string, number>}
 */
function rank(names, edges) {
  /** @type {Map<string, string[]>} */
  const callees = new Map(names.map((name) => [name, []]));
  for (const { caller, callee } of edges) callees.get(caller)?.push(callee);
  const called = new Set(edges.map((edge) => edge.callee));
  /** @type {Map<string, "open" | "done">} */
  const state = new Map();
  /** @type {string[]} */
  const finished = [];
  /** @type {Set<string>} */
  const backwards = new Set();
  const visit = (/** @type {string} */ name) => {
    state.set(name, "open");
    for (const callee of callees.get(name) ?? []) {
      if (state.get(callee) === "open") backwards.add(JSON.stringify([name, callee]));
      else if (!state.has(callee)) visit(callee);
    }
    state.set(name, "done");
    finished.push(name);
  };
  for (const name of [...names.filter((one) => !called.has(one)), ...names]) if (!state.has(name)) visit(name);
  const ranks = new Map(names.map((name) => [name, 0]));
  for (const name of finished.reverse()) {
    for (const callee of callees.get(name) ?? []) {
      if (backwards.has(JSON.stringify([name, callee]))) continue;
      ranks.set(callee, Math.max(ranks.get(callee) ?? 0, (ranks.get(name) ?? 0) + 1));
    }
  }
  return ranks;
}

/**
 * Return the stations of a call, with one of its own in each layer that it crosses, which is added there.
 *
 * @param {MapEdge} edge
 * @param {Map<string, number>} ranks
 * @param {string[][]} layers
 */
function link({ caller, callee }, ranks, layers) {
  const [from, to] = [ranks.get(caller) ?? 0, ranks.get(callee) ?? 0];
  const chain = [caller];
  for (let level = from + 1; level < to; level++) {
    const station = JSON.stringify([caller, callee, level]);
    layers[level].push(station);
    chain.push(station);
  }
  return [...chain, callee];
}

/**
 * Sort each layer by where its neighbours stand, to and fro, so that lines cross less.
 *
 * @param {string[][]} layers
 * @param {string[][]} chains
 */
function order(layers, chains) {
  /** @type {Map<string, Set<string>>} */
  const near = new Map(layers.flat().map((name) => [name, new Set()]));
  for (const chain of chains) {
    for (let index = 1; index < chain.length; index++) {
      near.get(chain[index])?.add(chain[index - 1]);
      near.get(chain[index - 1])?.add(chain[index]);
    }
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const levels = [...layers.keys()];
    for (const level of sweep % 2 ? levels.reverse() : levels) {
      const beside = new Map((layers[level + (sweep % 2 ? 1 : -1)] ?? []).map((name, index) => [name, index]));
      const weight = new Map(layers[level].map((name, index) => [name, mean([...(near.get(name) ?? [])].map((one) => beside.get(one)), index)]));
      layers[level].sort((one, other) => (weight.get(one) ?? 0) - (weight.get(other) ?? 0));
    }
  }
}

/**
 * @param {(number | undefined)[]} numbers
 * @param {number} otherwise
 */
function mean(numbers, otherwise) {
  const known = numbers.filter((number) => number !== undefined);
  return known.length ? known.reduce((sum, number) => sum + number, 0) / known.length : otherwise;
}

/**
 * Return the upper left corner of each node; layers are centred.
 *
 * @param {string[][]} layers
 */
function placed(layers) {
  const tallest = layers.reduce((most, layer) => Math.max(most, layer.length), 0);
  const row = BOX.height + BOX.down;
  return new Map(
    layers.flatMap((layer, level) =>
      layer.map((name, index) => /** @type {const} */ ([name, { x: level * (BOX.width + BOX.across), y: (index + (tallest - layer.length) / 2) * row }])),
    ),
  );
}
