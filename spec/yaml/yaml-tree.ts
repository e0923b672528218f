/**
 * A YAML document as its dialect reads it: scalars with what they were written as, lists, and mappings whose names keep their
 * order, each with its line. Aliases are followed and `<<` is merged. The parser's own tree is not seen outside.
 */
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Scalar as ParsedScalar,
  type YAMLMap,
} from "yaml";
import { taggedScalar, type Dialect } from "./dialect.ts";
import type { Problem } from "./problem.ts";
import { asText, type Scalar } from "./scalar.ts";

export type YamlNode =
  | { readonly kind: "scalar"; readonly line: number; readonly scalar: Scalar }
  | { readonly kind: "list"; readonly line: number; readonly items: readonly YamlNode[] }
  | { readonly kind: "mapping"; readonly line: number; readonly entries: ReadonlyMap<string, YamlEntry> };

export interface YamlEntry {
  /** Of its name. */
  readonly line: number;
  readonly node: YamlNode;
}

/** Nothing that people write is nested deeper. */
const nestingMax = 100;
/** Of a document with its aliases written out. */
const nodesMax = 500_000;

/** The document cannot be read at all. */
export class YamlFault extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export class TreeReader {
  readonly problems: Problem[] = [];
  readonly notes: Problem[] = [];
  readonly #dialect: Dialect;
  readonly #lineAt: (offset: number) => number;
  readonly #anchored = new Map<string, { readonly node: YamlNode; readonly size: number } | "open">();
  #nodes = 0;

  constructor(dialect: Dialect, lineAt: (offset: number) => number) {
    this.#dialect = dialect;
    this.#lineAt = lineAt;
  }

  /** Throws a YamlFault where there is no tree. */
  read(parsed: unknown, near = 1, depth = 0): YamlNode {
    const line = this.#lineOf(parsed) ?? near;
    if (depth > nestingMax)
      throw new YamlFault(
        line,
        "it is nested too deep to be read; some ten levels are the most that means anything",
      );
    if (isAlias(parsed)) return this.#aliased(parsed.source, line);
    const before = this.#nodes;
    this.#count(1, line);
    const anchor = isScalar(parsed) || isCollection(parsed) ? parsed.anchor : undefined;
    if (anchor !== undefined) this.#anchored.set(anchor, "open");
    const node = this.#node(parsed, line, depth);
    if (anchor !== undefined) this.#anchored.set(anchor, { node, size: this.#nodes - before });
    return node;
  }

  #node(parsed: unknown, line: number, depth: number): YamlNode {
    if (isMap(parsed)) return this.#mapping(parsed, line, depth);
    if (isSeq(parsed)) {
      this.#checkTag(parsed.tag, "seq", line);
      return { kind: "list", line, items: parsed.items.map((item) => this.read(item, line, depth + 1)) };
    }
    return { kind: "scalar", line, scalar: this.#scalar(isScalar(parsed) ? parsed : null, line) };
  }

  #aliased(anchor: string, line: number): YamlNode {
    const found = this.#anchored.get(anchor);
    if (found === undefined) throw new YamlFault(line, `*${anchor} names nothing that stands before it`);
    if (found === "open") throw new YamlFault(line, `*${anchor} stands within what it names`);
    this.#count(found.size, line);
    return found.node;
  }

  #count(nodes: number, line: number): void {
    this.#nodes += nodes;
    if (this.#nodes > nodesMax)
      throw new YamlFault(line, `with its aliases written out it has more than ${nodesMax} values`);
  }

  #scalar(parsed: ParsedScalar | null, line: number): Scalar {
    const source = parsed?.source ?? "";
    const tag = parsed?.tag;
    const plain = (parsed === null || parsed.type === "PLAIN") && tag === undefined;
    if (plain) return this.#checked({ ...this.#dialect.scalar(source), source, plain }, line);
    if (tag === undefined) return { ...asText(source), source, plain };
    const tagged = taggedScalar(this.#dialect, tag, source);
    if (tagged === null) {
      this.#tell(line, `${shortTag(tag)} is not read here before "${source.slice(0, 40)}"; leave it out`);
      return { ...asText(source), source, plain };
    }
    return this.#checked({ ...tagged, source, plain }, line);
  }

  #checked(scalar: Scalar, line: number): Scalar {
    if (scalar.kind === "fault") {
      const written = scalar.source.slice(0, 40);
      this.#tell(
        line,
        `${written}: ${scalar.why}, so ${this.#dialect.reader} refuses the file; put it in quotes if text is meant`,
      );
    }
    return scalar;
  }

  #mapping(parsed: YAMLMap, line: number, depth: number): YamlNode {
    this.#checkTag(parsed.tag, "map", line);
    const own = new Map<string, YamlEntry>();
    const merged = new Map<string, YamlEntry>();
    for (const pair of parsed.items) {
      const key = this.read(pair.key, line, depth + 1);
      const value = this.read(pair.value, key.line, depth + 1);
      if (this.#merges(key)) {
        this.#merge(merged, value);
        continue;
      }
      const name = this.#name(key);
      if (name === null) continue;
      const before = own.get(name);
      if (before !== undefined) this.#repeated(name, before.line, key.line);
      own.set(name, { line: key.line, node: value });
    }
    const entries = new Map([...merged].map(([name, entry]) => [name, own.get(name) ?? entry]));
    for (const [name, entry] of own) entries.set(name, entry);
    return { kind: "mapping", line, entries };
  }

  #merges(key: YamlNode): boolean {
    return this.#dialect.merges && key.kind === "scalar" && key.scalar.plain && key.scalar.source === "<<";
  }

  /** Of several mappings the first has the last word. */
  #merge(into: Map<string, YamlEntry>, value: YamlNode): void {
    const given = value.kind === "list" ? value.items.toReversed() : [value];
    for (const one of given) {
      if (one.kind === "mapping") for (const [name, entry] of one.entries) into.set(name, entry);
      else this.#tell(value.line, "<< takes a mapping or a list of mappings");
    }
  }

  #name(key: YamlNode): string | null {
    if (key.kind !== "scalar") {
      this.#tell(key.line, "a list or a mapping cannot be a name");
      return null;
    }
    const name = this.#dialect.name(key.scalar);
    if (name === null)
      this.#tell(
        key.line,
        `the name ${key.scalar.source === "" ? "that is empty" : key.scalar.source} is no text to ${this.#dialect.reader}; put it in quotes`,
      );
    return name;
  }

  #repeated(name: string, before: number, line: number): void {
    const what = `"${name}" is given on line ${before} already`;
    if (this.#dialect.repeated === "refused") this.#tell(line, `${what}; a name stands once`);
    else
      this.notes.push({
        line,
        field: [],
        message: `${what}; this one counts, as ${this.#dialect.reader} has it`,
      });
  }

  #checkTag(tag: string | undefined, usual: "seq" | "map", line: number): void {
    if (tag !== undefined && tag !== `tag:yaml.org,2002:${usual}` && tag !== "!")
      this.#tell(line, `${shortTag(tag)} is not read here; leave it out`);
  }

  #tell(line: number, message: string): void {
    this.problems.push({ line, field: [], message });
  }

  #lineOf(parsed: unknown): number | null {
    const range = isAlias(parsed) || isScalar(parsed) || isCollection(parsed) ? parsed.range : null;
    return range === null || range === undefined ? null : this.#lineAt(range[0]);
  }
}

function shortTag(tag: string): string {
  return tag.replace("tag:yaml.org,2002:", "!!");
}
