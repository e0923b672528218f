/**
 * YAML text as a plain value, with the line of every field. Syntax only: what the fields
 * mean is read elsewhere.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import { errorMessage } from "../../protocol/error-sentence.ts";
import type { Problem } from "./problem.ts";

export type Path = readonly (string | number)[];

export interface LocatedYaml {
  readonly value: unknown;
  /** The line on which the field at `path` starts, or the nearest thing around it that is there. */
  lineOf(path: Path): number;
  /** The scalar at `path` as it is written, where it is one: 1.0 and 1 are the same value and not the same text. */
  sourceOf(path: Path): string | null;
}

/** Of the YAML language: ours is 1.2; Python and Kubernetes read 1.1, where `yes` is true and `<<` merges. */
type YamlVersion = "1.1" | "1.2";

/** Problems told of one text. */
const problemsMax = 100;

export type YamlResult =
  | { readonly ok: true; readonly yaml: LocatedYaml }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parseYaml(text: string, version: YamlVersion = "1.2"): YamlResult {
  try {
    return parsed(text, version);
  } catch (error) {
    // An alias without its anchor, or a few lines of aliases that would unfold to gigabytes.
    const message = `this is no YAML: ${whyNot(errorMessage(error))}`;
    return { ok: false, problems: [{ line: 1, field: [], message }] };
  }
}

/** The parser goes by recursion, and tells of its end in the words of the machine. */
function whyNot(message: string): string {
  return /call stack/i.test(message)
    ? "it is nested too deep to be read; some ten levels are the most that means anything"
    : sentence(message);
}

/** Throws what the parser throws. */
function parsed(text: string, version: YamlVersion): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
    version,
  });
  if (document.errors.length > 0) {
    const problems = document.errors.slice(0, problemsMax).map((error) => ({
      line: lines.linePos(error.pos[0]).line,
      field: [],
      message: `this is no YAML: ${whyNot(error.message)}`,
    }));
    return { ok: false, problems };
  }
  const value: unknown = document.toJS();
  return {
    ok: true,
    yaml: {
      value,
      lineOf: (path) => lineAt(document, lines, path),
      sourceOf: (path) => {
        const node: unknown = document.getIn(path, true);
        return isScalar(node) ? (node.source ?? null) : null;
      },
    },
  };
}

function lineAt(document: Document.Parsed, lines: LineCounter, path: Path): number {
  let node: unknown = document.contents;
  let at = startOf(node) ?? 0;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(part));
      if (pair === undefined) break;
      at = startOf(pair.key) ?? at;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      at = startOf(node) ?? at;
    } else break;
  }
  return Math.max(1, lines.linePos(at).line);
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  const found = node as Partial<Node> | null | undefined;
  return found?.range?.[0];
}

function sentence(message: string): string {
  const first = (message.split("\n")[0] ?? message).replace(/[.:]$/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}
