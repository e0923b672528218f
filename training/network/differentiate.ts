/**
 * Reverse-mode differentiation (Linnainmaa 1970) on the graph: adds to it the nodes that compute the gradient
 * of a scalar by each weight. It computes no numbers; `tests/core/network-gradient.test.ts` checks each rule
 * against differences. Second derivatives are refused.
 */
import { type Graph } from "./graph.ts";
import { addUp, joinPieces, type Piece } from "./join-gradients.ts";
import { inputOf, type Node } from "./node.ts";
import { expect, same, shown } from "./shape.ts";
import { backward } from "./backward.ts";

export type Gradient =
  | { readonly kind: "dense"; readonly node: Node }
  /**
   * Of a table that is only gathered from: gradients [n, ...slice] of the rows ids [n], which may come twice
   * and then add up.
   */
  | { readonly kind: "rows"; readonly ids: Node; readonly values: Node };

export interface WeightGradient {
  readonly name: string;
  readonly weight: Node;
  readonly gradient: Gradient;
}

/** The gradients of `loss`, a scalar, by every weight that it depends on, in the weights' order. */
export function differentiate(graph: Graph, loss: Node): readonly WeightGradient[] {
  expect(loss.shape.length === 0, `a loss is a scalar, not ${shown(loss.shape)}`);
  const forward = graph.nodes.slice(0, loss.id + 1);
  const moving = movingNodes(forward);
  const tables = gatheredOnly(forward, [loss]);
  const gradients = new Map<Node, Node[]>();
  const pieces = new Map<Node, Piece[]>();
  const rows = new Map<Node, { ids: Node; values: Node }[]>();
  const one = graph.constant(1);
  gradients.set(loss, [one]);
  for (const node of forward.toReversed()) {
    const cut = pieces.get(node);
    const joined = cut === undefined ? [] : joinPieces(graph, node, cut);
    const parts = [...(gradients.get(node) ?? []), ...joined];
    if (parts.length === 0) continue;
    if (node.operation.kind === "weight") {
      gradients.set(node, parts);
      continue;
    }
    const gradient = graph.addN(parts);
    if (node.operation.kind === "slice") {
      const whole = inputOf(node, 0);
      if (!moving.has(whole)) continue;
      pieces.set(whole, [...(pieces.get(whole) ?? []), { begin: node.operation.begin, gradient }]);
      continue;
    }
    const give = (to: Node, part: Node): void => {
      expect(
        same(part.shape, to.shape),
        `the gradient of ${to.operation.kind} has shape ${shown(part.shape)}`,
      );
      const found = gradients.get(to);
      if (found === undefined) gradients.set(to, [part]);
      else found.push(part);
    };
    if (node.operation.kind === "gather" && tables.has(inputOf(node, 0))) {
      const table = inputOf(node, 0);
      const ids = graph.reshape(inputOf(node, 1), [-1]);
      const values = graph.reshape(gradient, [-1, ...table.shape.slice(1)]);
      rows.set(table, [...(rows.get(table) ?? []), { ids, values }]);
    } else {
      backward(graph, node, gradient, gradient === one, (index, part) => {
        if (moving.has(inputOf(node, index))) give(inputOf(node, index), part());
      });
    }
  }
  return forward.flatMap((weight): readonly WeightGradient[] => {
    if (weight.operation.kind !== "weight") return [];
    const { name } = weight.operation;
    const touched = rows.get(weight);
    if (touched !== undefined) {
      const ids = graph.concat(
        touched.map((part) => part.ids),
        0,
      );
      const values = graph.concat(
        touched.map((part) => part.values),
        0,
      );
      return [{ name, weight, gradient: { kind: "rows", ids, values } }];
    }
    const parts = gradients.get(weight);
    if (parts === undefined) return [];
    return [{ name, weight, gradient: { kind: "dense", node: addUp(graph, parts) } }];
  });
}

/** Nodes whose value a weight moves: no gradient is computed for others. */
function movingNodes(forward: readonly Node[]): ReadonlySet<Node> {
  const moving = new Set<Node>();
  for (const node of forward) {
    const { kind } = node.operation;
    if (kind === "positive" || kind === "equal") continue;
    if (kind === "weight" || node.inputs.some((input) => moving.has(input))) moving.add(node);
  }
  return moving;
}

/** Weights that are read only by gathers of their rows. */
export function gatheredOnly(nodes: readonly Node[], ends: readonly Node[]): ReadonlySet<Node> {
  const used = reachable(ends);
  const gathered = new Set<Node>();
  const whole = new Set<Node>();
  for (const node of nodes) {
    if (!used.has(node)) continue;
    for (const [index, input] of node.inputs.entries()) {
      if (input.operation.kind !== "weight") continue;
      if (node.operation.kind === "gather" && index === 0) gathered.add(input);
      else whole.add(input);
    }
  }
  return new Set([...gathered].filter((table) => !whole.has(table)));
}

/** The nodes that the given ones are computed from, and they themselves. */
export function reachable(
  ends: readonly Node[],
  needs: (node: Node) => readonly Node[] = (node) => node.inputs,
): ReadonlySet<Node> {
  const found = new Set<Node>();
  const waiting = [...ends];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    waiting.push(...needs(node));
  }
  return found;
}
