/** Keys of work: two trials with equal keys would train the same thing. Exact texts, no hashing. */
import type { Params } from "../../protocol/value.ts";
import type { StoredSweepSpec } from "../format/stored-sweep.ts";

type Field = keyof StoredSweepSpec;

/**
 * What a field of a sweep means for whether two trials are the same work. `both`: their outcome depends on it. `length`: it says
 * how long they train and who judges them on the way, so a shorter run of the same may be the beginning of a longer one.
 * `no`: their outcome does not depend on it, with the reason.
 */
type Meaning = "both" | "length" | { readonly no: string };

/** Every field stands here: one that is added to a sweep does not compile until somebody has decided. */
const meanings = {
  task: "both",
  dataset: "both",
  objective: "both",
  alsoObjectives: "both",
  stopping: "length",
  trialSeed: "both",
  codeVersion: "both",
  parts: "both",
  program: { no: "its files are parts, and how it is called makes the code version" },
  models: { no: "a trial's own model and parameters stand in its key" },
  name: { no: "a name for people" },
  experiment: { no: "a name for people" },
  gate: { no: "it is decided before anything runs" },
  search: { no: "how parameters are found, not what they give" },
  needs: { no: "where it runs" },
  prefers: { no: "where it runs" },
  weight: { no: "when it runs" },
  priority: { no: "when it runs" },
  cap: { no: "what it may cost" },
  beyondBudget: { no: "what it may cost" },
  reuse: { no: "whether the answer is looked for, not what it is" },
  records: { no: "what is put on record of the result" },
  keep: { no: "what becomes of the result" },
  register: { no: "what becomes of the result" },
} as const satisfies { readonly [F in Field]: Meaning };

type FieldsThat<M> = { [F in Field]: (typeof meanings)[F] extends M ? F : never }[Field];
/** What a text holds of a sweep, a part for each field that counts. They are stored: a part that is there stays as it is. */
type Parts<F extends Field> = { readonly [K in F]: readonly unknown[] };

/** Everything but model and parameters that a trial's outcome depends on, as canonical text. */
export function fingerprintText(spec: StoredSweepSpec): string {
  const parts: Parts<FieldsThat<"both" | "length">> = {
    task: [spec.task],
    dataset: [spec.dataset?.digest ?? null],
    objective: [spec.objective.metric, spec.objective.goal],
    alsoObjectives: unlessEmpty(spec.alsoObjectives),
    stopping: [canonical(spec.stopping)],
    trialSeed: [spec.trialSeed],
    codeVersion: [spec.codeVersion],
    parts: unlessEmpty(spec.parts),
  };
  return JSON.stringify(Object.values(parts).flat());
}

/** As `fingerprintText`, but for how long trials train: a shorter run of the same is the beginning of a longer one. */
export function warmStartText(spec: StoredSweepSpec): string {
  const parts: Parts<FieldsThat<"both">> = {
    task: [spec.task],
    dataset: [spec.dataset?.digest ?? null],
    objective: [spec.objective],
    alsoObjectives: [spec.alsoObjectives],
    trialSeed: [spec.trialSeed],
    codeVersion: [spec.codeVersion],
    parts: unlessEmpty(spec.parts),
  };
  return JSON.stringify(["kin", ...Object.values(parts).flat()]);
}

/** What was added later is left out of the text where it says nothing, so that older texts stay as they were. */
function unlessEmpty(list: readonly unknown[]): readonly unknown[] {
  return list.length === 0 ? [] : [list];
}

export function trialKey(fingerprint: number, model: string, params: Params): string {
  return `${fingerprint}/${model}/${canonical(params)}`;
}

/** JSON in which the order of an object's fields does not show, at any depth. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
