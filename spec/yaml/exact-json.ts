/** A YAML value as JSON, digit for digit: floats as Python writes them, with NaN and Infinity as Python's own JSON has them. */
import { pythonFloat } from "../../protocol/python-text.ts";
import { jsonObject } from "../../protocol/spelling.ts";
import type { Scalar } from "./scalar.ts";
import type { YamlNode } from "./yaml-tree.ts";

export function exactJson(node: YamlNode): string {
  switch (node.kind) {
    case "list":
      return `[${node.items.map(exactJson).join(",")}]`;
    case "mapping":
      return jsonObject([...node.entries].map(([name, entry]) => [name, exactJson(entry.node)]));
    case "scalar":
      return scalarJson(node.scalar);
  }
}

function scalarJson({ kind, value }: Scalar): string {
  if (kind === "float") return floatJson(value);
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function floatJson(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return pythonFloat(value);
}
