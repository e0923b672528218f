/**
 * A version of Python or of a distribution of Python, as the version specifiers specification (once PEP 440) reads and orders it.
 * What a requirement says of versions is in `python-specifier.ts`.
 */

export interface PythonVersion {
  readonly epoch: bigint;
  readonly release: readonly bigint[];
  readonly pre: { readonly letter: "a" | "b" | "rc"; readonly number: bigint } | null;
  readonly post: bigint | null;
  readonly dev: bigint | null;
  /** Parts after a plus, such as cu121; empty where there are none. */
  readonly local: readonly string[];
}

const pattern =
  /^\s*v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)(?:[-_.]?(?<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<preNumber>\d+)?)?(?:-(?<postAlone>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d+)?)?(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d+)?)?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/i;

/** Null where the text is no version. */
export function readPythonVersion(text: string): PythonVersion | null {
  const found = pattern.exec(text)?.groups;
  if (found === undefined) return null;
  return {
    epoch: BigInt(found["epoch"] ?? 0),
    release: (found["release"] ?? "").split(".").map(BigInt),
    pre:
      found["pre"] === undefined
        ? null
        : { letter: letterOf(found["pre"].toLowerCase()), number: BigInt(found["preNumber"] ?? 0) },
    post:
      found["postAlone"] === undefined && found["post"] === undefined
        ? null
        : BigInt(found["postAlone"] ?? found["postNumber"] ?? 0),
    dev: found["dev"] === undefined ? null : BigInt(found["devNumber"] ?? 0),
    local:
      found["local"]
        ?.toLowerCase()
        .split(/[-_.]/)
        .map((part) => (isNumber(part) ? String(BigInt(part)) : part)) ?? [],
  };
}

/** Below zero where `a` is the earlier one. */
export function comparePythonVersions(a: PythonVersion, b: PythonVersion): number {
  return (
    compare(a.epoch, b.epoch) ||
    compareRelease(a.release, b.release) ||
    compareLists(suffixRank(a), suffixRank(b)) ||
    compareLocal(a.local, b.local)
  );
}

/** As text, in its normal form. */
export function pythonVersionText({ epoch, release, pre, post, dev, local }: PythonVersion): string {
  return [
    epoch === 0n ? "" : `${epoch}!`,
    release.join("."),
    pre === null ? "" : `${pre.letter}${pre.number}`,
    post === null ? "" : `.post${post}`,
    dev === null ? "" : `.dev${dev}`,
    local.length === 0 ? "" : `+${local.join(".")}`,
  ].join("");
}

export function isPrerelease({ dev, pre }: PythonVersion): boolean {
  return pre !== null || dev !== null;
}

export function withoutLocal(version: PythonVersion): PythonVersion {
  return { ...version, local: [] };
}

/** Epoch and release alone. */
export function baseOf({ epoch, release }: PythonVersion): PythonVersion {
  return { epoch, release, pre: null, post: null, dev: null, local: [] };
}

function letterOf(word: string): "a" | "b" | "rc" {
  if (word.startsWith("a")) return "a";
  return word.startsWith("b") ? "b" : "rc";
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

function compare(a: bigint | number | string, b: bigint | number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareRelease(a: readonly bigint[], b: readonly bigint[]): number {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const order = compare(a[index] ?? 0n, b[index] ?? 0n);
    if (order !== 0) return order;
  }
  return 0;
}

/** What follows the release, as numbers that order it: 1.0.dev1 < 1.0a1 < 1.0rc1 < 1.0 < 1.0.post1. */
function suffixRank({ dev, post, pre }: PythonVersion): readonly (bigint | number)[] {
  const stage = pre !== null ? { a: 1, b: 2, rc: 3 }[pre.letter] : post === null && dev !== null ? 0 : 4;
  return [stage, pre?.number ?? 0, post === null ? 0 : 1, post ?? 0, dev === null ? 1 : 0, dev ?? 0];
}

function compareLists(a: readonly (bigint | number)[], b: readonly (bigint | number)[]): number {
  for (const [index, part] of a.entries()) {
    const order = compare(part, b[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** Words come before numbers, and what goes on after what ends. */
function compareLocal(a: readonly string[], b: readonly string[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order =
      compare(Number(isNumber(part)), Number(isNumber(other))) ||
      (isNumber(part) ? compare(BigInt(part), BigInt(other)) : compare(part, other));
    if (order !== 0) return order;
  }
  return a.length < b.length ? -1 : 0;
}
