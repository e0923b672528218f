/**
 * SERVE-13. Serves versions of registered models from this machine: opens each reference, listens, and follows where the references point. What is
 * answered is `serving/server`; who may start it and with which words is the command's.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LaneLimits } from "../../serving/batch/lane-limit.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { answerIds } from "../../serving/server/answer-id.ts";
import type { AnsweredRequest } from "../../serving/server/answer-request.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { servedLane } from "../../serving/server/served-lane.ts";
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";
import type { ServingAddress, ServingTls } from "../../serving/server/http-door.ts";
import { exposedRefusal } from "./exposed-address.ts";
import { FollowReference, type FollowOptions } from "./follow-reference.ts";
import type { RolloutLedger } from "./rollout-ledger.ts";
import { startRollouts, type RolloutPlan, type StartedRollouts } from "./start-rollout.ts";

export interface ServeOptions extends Pick<FollowOptions, "open" | "resolve" | "say"> {
  readonly references: readonly string[];
  readonly address: ServingAddress;
  readonly keys: CallerKeys | null;
  /** Null for plain HTTP. */
  readonly tls: ServingTls | null;
  readonly onAnswer?: (answered: AnsweredRequest) => void;
  /** Versions on trial beside these, and where what happens to them is recorded. */
  readonly rollout?: { readonly plan: RolloutPlan; readonly ledger: RolloutLedger };
  /** Of each version's queue and batches; left out, the usual ones. */
  readonly limits?: LaneLimits;
}

export interface Serving extends ServingDoor {
  readonly table: ModelTable;
}

/** Between two looks at where a reference points. */
const followMs = 400;

export async function serveModels(options: ServeOptions): Promise<Outcome<Serving>> {
  const { address, keys, references, tls } = options;
  const exposed = exposedRefusal(options);
  if (exposed !== null) return exposed;
  const table = new ModelTable(Math.random);
  const put = (reference: string, model: ServedModel) => table.put(reference, servedLane(model, options));
  const followed: FollowReference[] = [];
  for (const reference of new Set(references)) {
    const one = new FollowReference(reference, { ...options, put });
    const opened = await one.start();
    if (!opened.ok) {
      await table.retireAll();
      return opened;
    }
    followed.push(one);
  }
  const trials = await startTrials(options, table);
  if (!trials.ok) {
    await table.retireAll();
    return trials;
  }
  const door = await openServingDoor({
    ...{ address, keys, table, tls },
    now: () => performance.now(),
    newId: answerIds(),
    ...(options.onAnswer === undefined ? {} : { onAnswer: options.onAnswer }),
  });
  if (!door.ok) {
    await table.retireAll();
    return door;
  }
  const timer = setInterval(() => {
    for (const one of followed) void one.look();
    void trials.value.look();
  }, followMs);
  return accept({
    ...door.value,
    table,
    drain: async (maxMs) => {
      clearInterval(timer);
      await Promise.all(followed.map((one) => one.stop()));
      await door.value.drain(maxMs);
      await options.rollout?.ledger.end();
    },
  });
}

async function startTrials(options: ServeOptions, table: ModelTable): Promise<Outcome<StartedRollouts>> {
  const { open, rollout, say } = options;
  if (rollout === undefined) return accept({ look: () => Promise.resolve() });
  const started = await startRollouts({
    ...{ ...rollout, open, say, table },
    laneOf: (model) => servedLane(model, options),
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
  });
  if (!started.ok) return started;
  let looking: Promise<void> | null = null;
  return accept({
    look: () =>
      (looking ??= started.value
        .look()
        .catch((fault: unknown) =>
          say(fault instanceof Error ? fault.message : "the trial was not looked at"),
        )
        .finally(() => (looking = null))),
  });
}
