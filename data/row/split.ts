/**
 * Deterministic splits by hash of the normalised text: texts that are the same but for case, spacing,
 * Unicode form or digits are one group, and a group lies in one split whole. Shares hold per label
 * (of a group's first label), to within one group's size.
 */
import { createHash } from "node:crypto";
import type { Example } from "./dataset-rows.ts";

/** What two texts must share to count as the same text. */
export function normaliseText(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/\p{Nd}/gu, "0")
    .replaceAll(/\s+/gu, " ")
    .trim();
}

interface Group {
  readonly order: string;
  readonly examples: readonly Example[];
}

/**
 * Cuts a list into as many parts as there are shares. `shares` sum to 1; `salt` separates one
 * cut from the next, so that carving twice is not carving the same way.
 */
export function splitByText(
  examples: readonly Example[],
  shares: readonly number[],
  salt: string,
): Example[][] {
  const parts: Example[][] = shares.map(() => []);
  for (const groups of groupsByLabel(examples, salt).values()) {
    const total = groups.reduce((sum, group) => sum + group.examples.length, 0);
    let placed = 0;
    let part = 0;
    let bound = (shares[0] ?? 1) * total;
    for (const group of groups) {
      while (part < shares.length - 1 && placed + group.examples.length / 2 > bound) {
        part++;
        bound += (shares[part] ?? 0) * total;
      }
      parts[part]?.push(...group.examples);
      placed += group.examples.length;
    }
  }
  return parts;
}

function groupsByLabel(examples: readonly Example[], salt: string): Map<number, Group[]> {
  const alike = [...Map.groupBy(examples, ({ text }) => normaliseText(text))].map(([text, group]) => ({
    order: createHash("sha256").update(`${salt}\n${text}`).digest("hex"),
    examples: group,
  }));
  const byLabel = Map.groupBy(alike, (group) => Math.min(...group.examples.map(({ label }) => label)));
  for (const groups of byLabel.values()) groups.sort((a, b) => (a.order < b.order ? -1 : 1));
  return new Map([...byLabel].sort(([a], [b]) => a - b));
}
