/**
 * SERVE-13. Serves versions of registered models from this machine: opens each reference, listens, and follows where the references point. What is
 * answered is `serving/server`; who may start it and with which words is the command's.
 */
import { randomBytes } from "node:crypto";
import { isLoopbackHost } from "../../mesh/port.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { Lane } from "../../serving/batch/lane.ts";
import type { LaneLimits } from "../../serving/batch/lane-limit.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { describeModel } from "../../serving/protocol/described-model.ts";
import type { AnsweredRequest } from "../../serving/server/answer-request.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import {
  openServingDoor,
  type ServingAddress,
  type ServingDoor,
  type ServingTls,
} from "../../serving/server/serving-door.ts";
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
const idBytes = 6;

export async function serveModels(options: ServeOptions): Promise<Outcome<Serving>> {
  const { address, keys, references, tls } = options;
  const exposed = exposedRefusal(options);
  if (exposed !== null) return exposed;
  const table = new ModelTable(Math.random);
  const put = (reference: string, model: ServedModel) => table.put(reference, laneOf(model, options));
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
    newId: idSource(),
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

/** Without keys and TLS nobody but this machine may reach it. */
function exposedRefusal({ address: { host }, keys, tls }: ServeOptions) {
  if (isLoopbackHost(host)) return null;
  if (keys === null)
    return refuse(
      "forbidden",
      `at ${host} anybody who reaches this machine could ask: give keys to callers with --key-file FILE, or listen on 127.0.0.1`,
    );
  if (tls === null)
    return refuse("forbidden", `at ${host} keys and texts could be read on their way: TLS is needed there`);
  return null;
}

async function startTrials(options: ServeOptions, table: ModelTable): Promise<Outcome<StartedRollouts>> {
  const { open, rollout, say } = options;
  if (rollout === undefined) return accept({ look: () => Promise.resolve() });
  const started = await startRollouts({
    ...{ ...rollout, open, say, table },
    laneOf: (model) => laneOf(model, options),
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

function laneOf(model: ServedModel, { limits, say }: Pick<ServeOptions, "limits" | "say">): Lane {
  return new Lane(describeModel(model), {
    ...(limits === undefined ? {} : { limits }),
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onFault: (fault) =>
      say(`${model.model}@${model.version}: ${fault instanceof Error ? fault.message : "it failed"}`),
  });
}

/** Drawn once, then counted: no two answers of any server have one id, and none costs a draw. */
function idSource(): () => string {
  const start = randomBytes(idBytes).toString("hex");
  let count = 0;
  return () => start + (count++).toString(36);
}
