/**
 * ROLL-5, ROLL-8. Puts a version on trial beside the one that is served: loads it, has it answer an example, compares what the two take and give, and only then lets
 * requests reach it. Takes it off again when the evidence says so, and has both moves recorded. What the evidence is, is `serving/rollout`.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Lane } from "../../serving/batch/lane.ts";
import { standInFault } from "../../serving/model/same-signature.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { ModelTable, TablePlace } from "../../serving/server/model-table.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { openProven } from "../../serving/model/prove-served.ts";
import { canaryAlias, type RolloutLedger } from "./rollout-ledger.ts";

export interface CanaryReference {
  readonly reference: string;
  /** Of the callers' requests, above 0 to 1. */
  readonly share: number;
}

export interface RolloutPlan {
  /** At most one of each for a model; it stays at the version that the reference names now. */
  readonly canaries: readonly CanaryReference[];
  readonly shadows: readonly string[];
  readonly alpha: number;
  readonly agreement: number;
  readonly copyShare: number;
  /** Null where nobody wants it promoted. */
  readonly promoteAfter: number | null;
}

export interface StartRolloutOptions {
  readonly plan: RolloutPlan;
  readonly table: ModelTable;
  readonly open: (reference: string) => Promise<Outcome<ServedModel>>;
  readonly laneOf: (model: ServedModel) => Lane;
  readonly ledger: RolloutLedger;
  readonly say: (line: string) => void;
  readonly now: () => number;
  readonly defer: (run: () => void) => void;
}

interface Trial {
  canary: { readonly lane: Lane; readonly share: number } | null;
  shadow: Lane | null;
}

export interface StartedRollouts {
  /** Takes a canary off that somebody took back elsewhere, by its alias. */
  look(): Promise<void>;
}

/** Whatever is refused, nothing of it takes requests. */
export async function startRollouts(options: StartRolloutOptions): Promise<Outcome<StartedRollouts>> {
  const { plan, table } = options;
  const trials = new Map<string, Trial>();
  const wanted = [
    ...plan.canaries.map(({ reference, share }) => ({ reference, share })),
    ...plan.shadows.map((reference) => ({ reference, share: null })),
  ];
  for (const { reference, share } of wanted) {
    const lane = await openBeside(options, reference);
    if (!lane.ok) return freeAll(trials, lane);
    const { model } = lane.value.described.model;
    const trial = trials.get(model) ?? { canary: null, shadow: null };
    trials.set(model, trial);
    const isTaken = share === null ? trial.shadow !== null : trial.canary !== null;
    if (isTaken) {
      await lane.value.retire();
      const role = share === null ? "shadow" : "canary";
      return freeAll(trials, refuse("conflict", `${model} has a ${role} already; a model has one at a time`));
    }
    if (share === null) trial.shadow = lane.value;
    else trial.canary = { lane: lane.value, share };
  }
  const begun = [...trials].map(([model, trial]) => ({ trial, place: placeOf(table, model) }));
  for (const { place, trial } of begun) {
    const unfit = trial.canary === null ? null : whyNoCanary(options, place);
    if (unfit !== null) return freeAll(trials, unfit);
  }
  for (const { place, trial } of begun) beginTrial(options, place.reference, place.lane, trial);
  return accept({
    look: async () => {
      for (const desk of table.desks) await lookAt(options, desk);
    },
  });
}

function whyNoCanary(
  { ledger, plan }: StartRolloutOptions,
  { lane, reference }: TablePlace,
): Outcome<never> | null {
  const alias = ledger.aliasOf(reference);
  const instead = `${lane.described.model.model}@champion`;
  if (alias === canaryAlias)
    return refuse(
      "invalid",
      `${reference} is whatever is on trial, and cannot be what that is compared with; serve another alias, such as ${instead}`,
    );
  if (plan.promoteAfter === null || alias !== null) return null;
  return refuse(
    "invalid",
    `--promote-after moves an alias, and ${reference} is a version; serve an alias, such as ${instead}`,
  );
}

async function lookAt({ ledger, say, table }: StartRolloutOptions, desk: RolloutDesk): Promise<void> {
  const described = desk.options.canary?.lane.described;
  if (described === undefined || desk.rollout.state !== "running") return;
  const { model, version } = described.model;
  const moved = await ledger.movedTo(model, version);
  if (moved === null || desk.rollout.state !== "running") return;
  desk.rollout.end("ended");
  void table.remove(described.reference);
  say(
    `${described.reference} answers nobody any more: somebody moved ${model}@${canaryAlias} to version ${moved}`,
  );
}

async function freeAll(trials: ReadonlyMap<string, Trial>, refused: Outcome<never>): Promise<Outcome<never>> {
  for (const { canary, shadow } of trials.values()) {
    await canary?.lane.retire();
    await shadow?.retire();
  }
  return refused;
}

/** A version that could stand in for the one that answers for its model. */
async function openBeside(
  { laneOf, open, table }: StartRolloutOptions,
  reference: string,
): Promise<Outcome<Lane>> {
  const opened = await openProven(open, reference);
  if (!opened.ok) return opened;
  const unfit = whyUnfit(table, reference, opened.value);
  if (unfit === null) return accept(laneOf(opened.value));
  opened.value.dispose();
  return unfit;
}

function whyUnfit(table: ModelTable, reference: string, tried: ServedModel): Outcome<never> | null {
  const { model, version } = tried;
  const beside = table.places.filter(({ lane }) => lane.described.model.model === model);
  const [place] = beside;
  if (place === undefined)
    return refuse(
      "invalid",
      `${reference} has no version of ${model} beside it to be compared with; serve one, such as ${model}@champion`,
    );
  if (beside.length > 1)
    return refuse(
      "invalid",
      `${model} is served as ${beside.map((one) => one.reference).join(" and ")}; a version on trial is compared with one`,
    );
  const incumbent = place.lane.described.model;
  if (incumbent.version === version)
    return refuse("conflict", `${reference} is version ${version}, which ${place.reference} is too`);
  const differs = standInFault(incumbent, tried);
  return differs === null
    ? null
    : refuse("conflict", `${reference} cannot stand in for ${model}@${incumbent.version}: ${differs}`);
}

function beginTrial(
  { defer, ledger, now, plan, say, table }: StartRolloutOptions,
  reference: string,
  incumbent: Lane,
  { canary, shadow }: Trial,
): void {
  const { model } = incumbent.described.model;
  const canaryName = canary?.lane.described.reference ?? "";
  const canaryVersion = canary?.lane.described.model.version ?? 0;
  const promotable = ledger.aliasOf(reference);
  const desk = new RolloutDesk({
    ...{ canary, incumbent, shadow, now, defer },
    alpha: plan.alpha,
    agreement: plan.agreement,
    copyShare: plan.copyShare,
    promoteAfter: plan.promoteAfter,
    onCanaryOff: (why) => {
      void table.remove(canaryName);
      const sentence = why === null || typeof why === "string" ? why : why.why;
      if (sentence === null) return say(`${canaryName} is ${reference} now and no canary any more`);
      say(`${canaryName} is taken back and answers nobody any more: ${sentence}`);
      ledger.takenBack({
        model,
        version: desk.incumbent.described.model.version,
        why: `taken back: ${sentence}`,
      });
    },
    onPromote: (why) => {
      say(`${canaryName} is to be ${reference}: ${why}`);
      void ledger
        .promoted({ model, version: canaryVersion, alias: promotable ?? "", why })
        .then((isDone) => (isDone ? null : desk.rollout.stayOnTrial()));
    },
  });
  table.try(desk);
  if (canary !== null) {
    void table.put(canaryName, canary.lane, 0);
    const takes = `takes ${percentText(canary.share)} of what is asked of ${reference}`;
    say(`${canaryName} ${takes}, beside ${incumbent.described.reference}`);
    ledger.begun({
      model,
      version: canaryVersion,
      why: `${takes}, beside version ${incumbent.described.model.version}`,
    });
  }
  if (shadow !== null) say(`${shadow.described.reference} is asked too, and answers nobody`);
}

/** The one version that answers for a model. */
function placeOf(table: ModelTable, model: string): TablePlace {
  const place = table.places.find(({ lane }) => lane.described.model.model === model);
  if (place === undefined) throw new Error("broken invariant: a version on trial beside none");
  return place;
}

function percentText(share: number): string {
  return `${Number((100 * share).toFixed(4))}%`;
}
