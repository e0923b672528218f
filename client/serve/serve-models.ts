/**
 * SERVE-13. Serves versions of registered models from this machine: opens each reference, listens, and follows where the references point. What is
 * answered is `serving/server`; who may start it and with which words is the command's.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LaneLimits } from "../../serving/batch/lane-limit.ts";
import { answerIds } from "../../serving/server/answer-id.ts";
import type { AnsweredRequest } from "../../serving/server/answer-request.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { servedLane } from "../../serving/server/served-lane.ts";
import { openGrpcDoor, type GrpcDoor } from "../../serving/grpc/grpc-door.ts";
import type { ServingAddress, ServingTls } from "../../serving/server/http-door.ts";
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";
import { exposedRefusal } from "./exposed-address.ts";
import { FollowReference, type FollowOptions } from "./follow-reference.ts";
import { keepMs } from "./profile-keeper.ts";
import type { ProvableModel } from "../../serving/model/prove-served.ts";
import { WatchedLanes, type ProfileOptions } from "./watched-lane.ts";
import type { RolloutLedger } from "./rollout-ledger.ts";
import { startRollouts, type RolloutPlan, type StartedRollouts } from "./start-rollout.ts";

export interface ServeOptions<M extends ProvableModel = ProvableModel> extends Pick<
  FollowOptions<M>,
  "onServed" | "open" | "resolve" | "say"
> {
  readonly references: readonly string[];
  readonly address: ServingAddress;
  /** Where gRPC is spoken, too; left out where it is not. */
  readonly grpc?: ServingAddress | undefined;
  readonly keys: CallerKeys | null;
  /** Null for plain HTTP. */
  readonly tls: ServingTls | null;
  readonly onAnswer?: (answered: AnsweredRequest) => void;
  /** Left out where nothing is kept of what is asked. */
  readonly profiles?: ProfileOptions<M>;
  /** Versions on trial beside these, and where what happens to them is recorded. */
  readonly rollout?: { readonly plan: RolloutPlan; readonly ledger: RolloutLedger };
  /** Of each version's queue and batches; left out, the usual ones. */
  readonly limits?: LaneLimits;
}

export interface Serving extends ServingDoor {
  readonly table: ModelTable;
  /** `host:port` of gRPC; null where it is not spoken. */
  readonly grpcAddress: string | null;
  /** What was seen since they were kept last, and what has drifted with it; it happens by itself from time to time. */
  keepProfiles(): Promise<void>;
}

/** Between two looks at where a reference points. */
const followMs = 400;

export async function serveModels<M extends ProvableModel>(
  options: ServeOptions<M>,
): Promise<Outcome<Serving>> {
  const { address, grpc: grpcAt, keys, references, tls } = options;
  for (const at of [address, ...(grpcAt === undefined ? [] : [grpcAt])]) {
    const exposed = exposedRefusal({ address: at, keys, tls });
    if (exposed !== null) return exposed;
  }
  const table = new ModelTable(Math.random);
  const lanes = new WatchedLanes<M>(options);
  const put = async (reference: string, model: M) => {
    const before = table.places.find((place) => place.reference === reference)?.lane;
    await table.put(reference, lanes.laneFor(model));
    if (before !== undefined) await lanes.end(before);
  };
  const open = async (reference: string) => {
    const opened = await options.open(reference);
    const expected = opened.ok ? lanes.expectationsOf(opened.value) : opened;
    if (!opened.ok || expected.ok) return opened;
    opened.value.dispose();
    return expected;
  };
  const followed: FollowReference<M>[] = [];
  for (const reference of new Set(references)) {
    const one = new FollowReference(reference, { ...options, open, put });
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
  const doors = await openDoors(options, table);
  if (!doors.ok) {
    await table.retireAll();
    return doors;
  }
  const { door, grpc } = doors.value;
  const timer = setInterval(() => {
    for (const one of followed) void one.look();
    void trials.value.look();
  }, followMs);
  const keeping = setInterval(() => void lanes.keep(), keepMs);
  return accept({
    ...door,
    table,
    grpcAddress: grpc?.address ?? null,
    renewTls: (renewed) => {
      door.renewTls(renewed);
      grpc?.renewTls(renewed);
    },
    keepProfiles: () => lanes.keep(),
    drain: async (maxMs) => {
      clearInterval(timer);
      clearInterval(keeping);
      await Promise.all(followed.map((one) => one.stop()));
      // The models go with the other.
      await grpc?.drain(maxMs);
      await door.drain(maxMs);
      await lanes.keep();
      await options.rollout?.ledger.end();
    },
  });
}

interface Doors {
  readonly door: ServingDoor;
  readonly grpc: GrpcDoor | null;
}

/** Both answer for the same table. */
async function openDoors<M extends ProvableModel>(
  { address, grpc, keys, onAnswer, tls }: ServeOptions<M>,
  table: ModelTable,
): Promise<Outcome<Doors>> {
  const shared = {
    ...{ keys, table, tls },
    now: () => performance.now(),
    newId: answerIds(),
    ...(onAnswer === undefined ? {} : { onAnswer }),
  };
  const opened = grpc === undefined ? null : await openGrpcDoor({ ...shared, address: grpc });
  if (opened !== null && !opened.ok) return opened;
  const door = await openServingDoor({ ...shared, address });
  if (door.ok) return accept({ door: door.value, grpc: opened?.value ?? null });
  await opened?.value.drain(0);
  return door;
}

async function startTrials<M extends ProvableModel>(
  options: ServeOptions<M>,
  table: ModelTable,
): Promise<Outcome<StartedRollouts>> {
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
