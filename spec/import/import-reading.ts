/** What the readers of other tools' files share: problems refuse a file, notes say how it is understood. */
import { nameSchema } from "../../protocol/name.ts";
import type { CommandSweep } from "../sweep/command-sweep.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";

export interface ImportReading {
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
  readonly notes: Problem[];
}

export type ImportResult =
  | { readonly ok: true; readonly sweep: CommandSweep; readonly notes: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function refuseAt({ problems, yaml }: ImportReading, field: Path, message: string): void {
  problems.push({ line: yaml.lineOf(field), field, message });
}

export function noteAt({ notes, yaml }: ImportReading, field: Path, message: string): void {
  notes.push({ line: yaml.lineOf(field), field, message });
}

/** Without a limit of its own a sweep of another tool goes on until somebody stops it; here it ends. */
export const trialsWithoutLimit = 100;
export const importSeed = 1;

const nameMax = 31;

/** A name of ours out of any text; `fallback` where nothing is left of it. */
export function slug(text: string, fallback: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, nameMax)
    .replace(/-+$/, "");
  return nameSchema.safeParse(plain).success ? plain : fallback;
}

const digits = 4;
const dust = 1e-12;

/** A figure for a sentence. */
export function figure(value: number): string {
  return Math.abs(value) < dust ? "0" : String(Number(value.toPrecision(digits)));
}
