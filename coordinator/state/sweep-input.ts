/** What a sweep is run with: its data, the artifacts beside it, its program. */
import type { Digest } from "../../protocol/id.ts";
import type { Sweep } from "./state.ts";

export function inputsOf(sweep: Pick<Sweep, "spec"> | undefined): readonly Digest[] {
  if (sweep === undefined) return [];
  const { dataset, parts, program, records } = sweep.spec;
  return [
    ...(dataset === null ? [] : [dataset.digest]),
    ...parts,
    ...(program === null ? [] : [program.bundle]),
    ...(records === undefined ? [] : [records.recipe]),
    ...(records === undefined || records.expectations === null ? [] : [records.expectations]),
  ];
}
