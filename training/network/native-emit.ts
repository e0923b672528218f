/**
 * A network's nodes as TensorFlow operations. Each node is emitted once per training or scoring pass; which operation
 * stands for which node is the table's (`native-node.ts`). It runs nothing.
 */
import { byKind, type Node } from "./node.ts";
import { emitters, type EmitAround } from "./native-node.ts";
import { NativeWindowMax } from "./native-window-max.ts";
import type { TensorFlowGraph } from "./tensorflow-graph.ts";

export interface Pass {
  readonly graph: TensorFlowGraph;
  /** Placeholders of the seed and the step, int32 [1]; null in scoring, where dropout does nothing. */
  readonly random: { readonly seed: string; readonly step: string } | null;
  /** The variable of a weight. */
  variable(name: string): string;
  /** The placeholder of an input. */
  input(node: Node): string;
}

/** Reads of variables, which must be over before an update writes them. */
export type Reads = Map<string, string[]>;

/** Emits nodes on demand; `of` gives the name of a node's output. */
export class Emitter {
  readonly reads: Reads = new Map();
  readonly #around: EmitAround;
  readonly #names = new Map<Node, string>();

  constructor(pass: Pass) {
    this.#around = {
      graph: pass.graph,
      random: pass.random,
      variable: (name) => pass.variable(name),
      placeholder: (node) => pass.input(node),
      of: (node) => this.of(node),
      isEmitted: (node) => this.#names.has(node),
      noteRead: (name, op) => this.#noteRead(name, op),
      windowMax: new NativeWindowMax(pass.graph),
      losses: new Map(),
    };
  }

  of(node: Node): string {
    const found = this.#names.get(node);
    if (found !== undefined) return found;
    const name = byKind(emitters, node, this.#around);
    this.#names.set(node, name);
    return name;
  }

  #noteRead(name: string, op: string): string {
    this.reads.set(name, [...(this.reads.get(name) ?? []), op]);
    return op;
  }
}
