/**
 * Whose YAML a text is written in. The same letters mean other things to the programs that read them, so a file is read as
 * its own program reads it: scalars, names, names given twice, `<<`. What the fields mean is not here.
 */
import { pythonFloat } from "../../protocol/python-text.ts";
import { coreScalar } from "./core-scalar.ts";
import { kubernetesScalar } from "./kubernetes-scalar.ts";
import { pyyamlScalar } from "./pyyaml-scalar.ts";
import { asFloat, type Meaning, type Scalar } from "./scalar.ts";

export interface Dialect {
  /** Whose it is, for a sentence. */
  readonly reader: string;
  /** What a scalar without quotes or tag means. */
  readonly scalar: (text: string) => Meaning;
  /** A key as a name; null where it would be another than the one that is written. */
  readonly name: (key: Scalar) => string | null;
  /** A name that is given twice is a mistake, or the last one counts. */
  readonly repeated: "refused" | "last";
  /** Whether `<<` takes in the entries of another mapping. */
  readonly merges: boolean;
}

/** Ours: YAML 1.2. A name is what is written. */
export const ours: Dialect = {
  reader: "YAML 1.2",
  scalar: coreScalar,
  name: ({ source }) => source,
  repeated: "refused",
  merges: false,
};

/** W&B hands names on as JSON, so a key that is no text has to be written as JSON writes it. */
export const pyyaml: Dialect = {
  reader: "PyYAML",
  scalar: pyyamlScalar,
  name: (key) => (isText(key) || jsonText(key) === key.source ? String(key.value) : null),
  repeated: "last",
  merges: true,
};

export const kubernetes: Dialect = {
  reader: "Kubernetes",
  scalar: kubernetesScalar,
  name: (key) => (isText(key) ? String(key.value) : key.kind === "null" ? null : jsonText(key)),
  repeated: "last",
  merges: true,
};

function isText({ kind }: Scalar): boolean {
  return kind === "text" || kind === "date";
}

function jsonText({ kind, value }: Scalar): string {
  return kind === "float" && Number.isInteger(value) ? pythonFloat(Number(value)) : String(value);
}

const prefix = "tag:yaml.org,2002:";

/** What a scalar with a tag such as `!!str` means; null where the tag or the text under it means nothing. */
export function taggedScalar(dialect: Dialect, tag: string, text: string): Meaning | null {
  if (tag === "!") return dialect.scalar(text);
  const wanted = tag.startsWith(prefix) ? tag.slice(prefix.length) : "";
  if (wanted === "str") return { kind: "text", value: text };
  const meaning = dialect.scalar(text);
  if (wanted === "float" && meaning.kind === "int") return asFloat(Number(meaning.value));
  const kinds: Readonly<Record<string, Meaning["kind"]>> = {
    int: "int",
    float: "float",
    bool: "bool",
    null: "null",
    timestamp: "date",
  };
  return Object.hasOwn(kinds, wanted) && kinds[wanted] === meaning.kind ? meaning : null;
}
