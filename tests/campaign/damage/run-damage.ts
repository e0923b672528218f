/** Many cases of damage one after another, each on a home of its own, and their outcomes counted. */
import { errorSentence } from "../../../protocol/error-sentence.ts";
import { randomStream } from "../../../search/space/random-stream.ts";
import { DamageCase, type CaseResult, type Outcome } from "./damage-case.ts";
import type { DamageKind } from "./damage-kind.ts";
import { openWholeMesh } from "./whole-mesh.ts";

export interface DamageRun {
  readonly kinds: readonly DamageKind[];
  readonly count: number;
  /** The first case's number; those before it were damaged in an earlier run. */
  readonly from?: number;
  readonly seed: number;
  /** Cases at once. */
  readonly jobs: number;
  readonly onCase: (result: CaseResult) => void;
}

const defects: ReadonlySet<Outcome> = new Set(["MISSED", "WRONG", "NOT-HEALED", "LATE"]);

export interface DamageReport {
  readonly cases: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly defects: readonly CaseResult[];
}

/** The kinds take turns; the same seed damages the same bytes. */
export async function runDamage({
  count,
  from = 0,
  jobs,
  kinds,
  onCase,
  seed,
}: DamageRun): Promise<DamageReport> {
  const whole = await openWholeMesh();
  const results: CaseResult[] = [];
  let next = from;
  const work = async () => {
    while (next < from + count) {
      const number = next++;
      const kind = kinds[number % kinds.length];
      if (kind === undefined) return;
      const random = randomStream(seed, kind.name, number);
      const place = whole.copy(`case-${number}`);
      const result = await outcomeOf(new DamageCase(whole, kind, place), kind, () => random.next());
      whole.discard(place);
      results.push(result);
      onCase(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    await whole.close();
  }
  return reportOf(results);
}

/** What a case throws, such as a mesh that answers nothing, is a defect of that case and ends no other. */
async function outcomeOf(one: DamageCase, kind: DamageKind, random: () => number): Promise<CaseResult> {
  try {
    return await one.run(random);
  } catch (error) {
    const said = [errorSentence(error)];
    return { kind: kind.name, outcome: "NOT-HEALED", noticed: "none", what: "", said };
  }
}

function reportOf(results: readonly CaseResult[]): DamageReport {
  const outcomes: Record<string, number> = {};
  const byKind: Record<string, Record<string, number>> = {};
  for (const { kind, noticed, outcome } of results) {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    const of = (byKind[kind] ??= {});
    const how = `${outcome}, noticed: ${noticed}`;
    of[how] = (of[how] ?? 0) + 1;
  }
  return {
    cases: results.length,
    outcomes,
    byKind,
    defects: results.filter(({ outcome }) => defects.has(outcome)),
  };
}
