/**
 * YAML text as a plain value, with the line of every field and what each scalar was written as. Syntax only: what the fields
 * mean is read elsewhere, and what plain scalars mean is their dialect's.
 */
import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from "yaml";
import { errorMessage } from "../../protocol/error-sentence.ts";
import { ours, type Dialect } from "./dialect.ts";
import type { Problem } from "./problem.ts";
import type { Scalar } from "./scalar.ts";
import { TreeReader, YamlFault, type YamlNode } from "./yaml-tree.ts";

export type Path = readonly (string | number)[];

export interface LocatedYaml {
  /** Whole numbers beyond what a number keeps are bigints. */
  readonly value: unknown;
  /** How the text is understood where that may surprise, such as a name given twice. */
  readonly notes: readonly Problem[];
  /** The line on which the field at `path` starts, or the nearest thing around it that is there. */
  lineOf(path: Path): number;
  /** Null where nothing stands, or what stands was put there by a command line. */
  nodeAt(path: Path): YamlNode | null;
  /** The same with `replace`'s answer in the place of each scalar for which it has one. */
  replaced(replace: (scalar: Scalar, path: Path) => unknown): LocatedYaml;
}

/** Problems told of one text. */
const problemsMax = 100;

export type YamlResult =
  | { readonly ok: true; readonly yaml: LocatedYaml }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** One of the documents of a text, before it is known whose dialect it is in. */
export interface YamlDocument {
  readonly line: number;
  /** The outermost names as they are written, each with its scalar's text, or nothing; null where there are none. */
  readonly names: ReadonlyMap<string, string> | null;
  read(dialect: Dialect): YamlResult;
}

export type DocumentsResult =
  | { readonly ok: true; readonly documents: readonly YamlDocument[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Documents with nothing in them do not count. */
export function parseDocuments(text: string): DocumentsResult {
  const binaryAt = text.indexOf("\0");
  if (binaryAt !== -1) return { ok: false, problems: [noText(text.slice(0, binaryAt))] };
  const lines = new LineCounter();
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  let documents: readonly Document.Parsed[];
  try {
    // What scalars mean is not asked of the parser: to it all of them are text.
    const options = {
      schema: "failsafe",
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
    } as const;
    documents = [...parseAllDocuments(text, { ...options, lineCounter: lines })];
  } catch (error) {
    return { ok: false, problems: [noYaml(1, errorMessage(error))] };
  }
  const errors = documents.flatMap((document) => document.errors).slice(0, problemsMax);
  if (errors.length > 0)
    return { ok: false, problems: errors.map(({ message, pos }) => noYaml(lineAt(pos[0]), message)) };
  return {
    ok: true,
    documents: documents
      .filter(({ contents }) => contents !== null && contents.range[0] < contents.range[1])
      .map((document) => ({
        line: lineAt(document.contents?.range[0] ?? 0),
        names: namesOf(document.contents),
        read: (dialect) => readDocument(document, dialect, lineAt),
      })),
  };
}

/** A text of ours, which is one document; nothing at all is nothing. */
export function parseYaml(text: string): YamlResult {
  const parsed = parseDocuments(text);
  if (!parsed.ok) return parsed;
  const [document, second] = parsed.documents;
  if (second !== undefined) return { ok: false, problems: [severalDocuments(parsed.documents)] };
  if (document !== undefined) return document.read(ours);
  const scalar: Scalar = { kind: "null", value: null, source: "", plain: true };
  return { ok: true, yaml: new Located({ kind: "scalar", line: 1, scalar }, []) };
}

export function severalDocuments(documents: readonly YamlDocument[]): Problem {
  const message = `the file has ${documents.length} documents, divided by ---, and one is read: give each a file of its own`;
  return { line: documents[1]?.line ?? 1, field: [], message };
}

function namesOf(contents: unknown): YamlDocument["names"] {
  if (!isMap(contents)) return null;
  return new Map(
    contents.items.map(({ key, value }) => [
      isScalar(key) ? (key.source ?? "") : "",
      isScalar(value) ? (value.source ?? "") : "",
    ]),
  );
}

function readDocument(
  { contents }: Document.Parsed,
  dialect: Dialect,
  lineAt: (offset: number) => number,
): YamlResult {
  const reader = new TreeReader(dialect, lineAt);
  try {
    const root = reader.read(contents);
    if (reader.problems.length > 0) return { ok: false, problems: reader.problems.slice(0, problemsMax) };
    return { ok: true, yaml: new Located(root, reader.notes.slice(0, problemsMax)) };
  } catch (error) {
    if (error instanceof YamlFault) return { ok: false, problems: [noYaml(error.line, error.message)] };
    throw error;
  }
}

/** What stands in a scalar's place; undefined: what its dialect makes of it. */
type Replace = (scalar: Scalar, path: Path) => unknown;

class Located implements LocatedYaml {
  readonly value: unknown;
  readonly notes: readonly Problem[];
  readonly #root: YamlNode;
  readonly #replace: Replace;

  constructor(root: YamlNode, notes: readonly Problem[], replace: Replace = () => undefined) {
    this.#root = root;
    this.#replace = replace;
    this.notes = notes;
    this.value = valueOf(root, [], replace);
  }

  lineOf(path: Path): number {
    let node = this.#root;
    let line = node.line;
    for (const part of path) {
      const found = childOf(node, part);
      if (found === undefined) break;
      ({ line, node } = found);
    }
    return line;
  }

  nodeAt(path: Path): YamlNode | null {
    let node = this.#root;
    for (const part of path) {
      const found = childOf(node, part);
      if (found === undefined) return null;
      ({ node } = found);
    }
    return node;
  }

  replaced(replace: Replace): LocatedYaml {
    const before = this.#replace;
    return new Located(
      this.#root,
      this.notes,
      (scalar, path) => replace(scalar, path) ?? before(scalar, path),
    );
  }
}

function childOf(node: YamlNode, part: string | number) {
  if (node.kind === "mapping") return node.entries.get(String(part));
  const item = node.kind === "list" ? node.items[Number(part)] : undefined;
  return item === undefined ? undefined : { line: item.line, node: item };
}

function valueOf(node: YamlNode, path: Path, replace: Replace): unknown {
  switch (node.kind) {
    case "scalar":
      return replace(node.scalar, path) ?? node.scalar.value;
    case "list":
      return node.items.map((item, index) => valueOf(item, [...path, index], replace));
    case "mapping":
      // Any name is a field of its own here, __proto__ too.
      return Object.fromEntries(
        [...node.entries].map(([name, entry]) => [name, valueOf(entry.node, [...path, name], replace)]),
      );
  }
}

function noYaml(line: number, message: string): Problem {
  return { line, field: [], message: `this is no YAML: ${whyNot(message)}` };
}

/** Of a binary file the parser would say something of every other byte, and quote pages of it. */
function noText(before: string): Problem {
  const line = before.split(/\r\n?|\n/).length;
  return {
    line,
    field: [],
    message:
      "this is no YAML: it has NUL characters, as binary files and texts in UTF-16 have; a YAML file is text in UTF-8",
  };
}

/** What the parser quotes of a file may be all of it. */
const messageCharactersMax = 300;

/** The parser goes by recursion, and tells of its end in the words of the machine. */
function whyNot(message: string): string {
  return /call stack/i.test(message)
    ? "it is nested too deep to be read; some ten levels are the most that means anything"
    : sentence(
        message.length > messageCharactersMax ? `${message.slice(0, messageCharactersMax)}…` : message,
      );
}

function sentence(message: string): string {
  const first = (message.split("\n")[0] ?? message).replace(/[.:]$/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}
