/**
 * Values of one parameter as a space holds them (numbers, texts, booleans) with what each stands for where it is something
 * else: a whole number beyond 2^53, 1.0, null, a list. Two that differ in the file stay two.
 */
import { pythonText } from "../../protocol/python-text.ts";
import type { Value } from "../../protocol/value.ts";
import { exactJson } from "../yaml/exact-json.ts";
import type { YamlNode } from "../yaml/yaml-tree.ts";

export interface ExactValues {
  readonly values: readonly Value[];
  /** By a value's JSON; empty where each is what it says. */
  readonly spelling: Readonly<Record<string, string>>;
}

/** Null where two cannot be told apart, as a null beside the texts "None" and "null". */
export function exactValues(nodes: readonly YamlNode[]): ExactValues | null {
  const standsFor = new Map<string, string>();
  const jsons = nodes.map(exactJson);
  // What is a value as it is has the first word, and then whatever can be written in two ways.
  for (const [index, node] of nodes.entries()) {
    const plain = plainValue(node);
    if (plain !== null) standsFor.set(JSON.stringify(plain), jsons[index] ?? "");
  }
  const values: Value[] = [];
  for (const [index, node] of nodes.entries()) {
    const json = jsons[index] ?? "";
    const found = candidates(node, json).find((value) => {
      const taken = standsFor.get(JSON.stringify(value));
      return taken === undefined || taken === json;
    });
    if (found === undefined) return null;
    standsFor.set(JSON.stringify(found), json);
    values.push(found);
  }
  const differing = [...standsFor].filter(([key, json]) => key !== json && !sameNumber(key, json));
  return { values, spelling: Object.fromEntries(differing) };
}

/** The value itself, where a space can hold it and its JSON is what Python's would be. */
function plainValue(node: YamlNode): Value | null {
  if (node.kind !== "scalar") return null;
  const { kind, value } = node.scalar;
  if (kind === "float" && (!Number.isFinite(value) || Number.isInteger(value))) return null;
  return value === null || typeof value === "bigint" ? null : value;
}

function candidates(node: YamlNode, json: string): readonly Value[] {
  const plain = plainValue(node);
  if (plain !== null) return [plain];
  const texts = [pythonText(json), json];
  // A whole float is searched as the number that it is; -0.0 is 0 to a search.
  if (node.kind === "scalar" && node.scalar.kind === "float" && Number.isFinite(node.scalar.value))
    return [node.scalar.value === 0 ? 0 : node.scalar.value, ...texts];
  return texts;
}

/** Two ways to write one number with a fraction: 0.00001 and 1e-05. */
function sameNumber(key: string, json: string): boolean {
  return !/^-?\d+$/.test(key) && !key.startsWith('"') && Number(key) === Number(json);
}
