/** Weights before the first step: of the seed and the weight's own name, whatever else the network has. */
import { stream } from "../tensor/seeded-stream.ts";
import { type Initial, type Node } from "./node.ts";
import { gatheredOnly } from "./differentiate.ts";
import type { Built, Graph } from "./graph.ts";
import { expect, sizeOf, shown, type Shape } from "./shape.ts";

/** A program's graph for one length. */
export interface BuiltGraph {
  readonly graph: Graph;
  readonly built: Built;
  readonly length: number;
}

export interface WeightPlan {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initial;
  /** True for a table that every graph only gathers from. */
  readonly gathered: boolean;
}

/** All weights of a program's graphs, which must agree on them, in the order they first come. */
export function weightsOf(graphs: readonly BuiltGraph[]): readonly WeightPlan[] {
  const plans = new Map<string, WeightPlan>();
  for (const { graph, built } of graphs) {
    const tables = gatheredOnly(graph.nodes, [built.loss, built.score]);
    for (const node of graph.nodes) {
      if (node.operation.kind !== "weight") continue;
      const { name, initial } = node.operation;
      const found = plans.get(name);
      expect(
        found === undefined || String(found.shape) === String(node.shape),
        `weight ${name} has two shapes, ${shown(found?.shape ?? [])} and ${shown(node.shape)}`,
      );
      const gathered = tables.has(node) && found?.gathered !== false;
      plans.set(name, { name, shape: node.shape, initial, gathered });
    }
  }
  return [...plans.values()];
}

export function initialValue({ name, shape, initial }: WeightPlan, seed: number): Float32Array {
  const value = new Float32Array(sizeOf(shape));
  const random = stream(seed, `weights/${name}`, 0);
  const uniform = (bound: number): Float32Array => value.map(() => (random.next() * 2 - 1) * bound);
  switch (initial.kind) {
    case "zeros":
      return value;
    case "ones":
      return value.fill(1);
    case "uniform":
      return uniform(initial.bound);
    case "glorot": {
      const outputs = shape.at(-1) ?? 1;
      return uniform(Math.sqrt(6 / (value.length / outputs + outputs)));
    }
    case "normal":
      // Box and Muller 1958; 1 - u is never 0.
      return value.map(() => {
        const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
        return initial.deviation * radius * Math.cos(2 * Math.PI * random.next());
      });
  }
}

/** The named inputs that some nodes read. */
export function inputsOf(nodes: Iterable<Node>): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  for (const node of nodes) if (node.operation.kind === "input") found.set(node.operation.name, node);
  return found;
}
