/**
 * One request on its way to a replica: sent to the one that is least busy, and to another where that one ends before the whole answer is here. A prediction changes
 * nothing, so asking twice does no harm, and the caller sees one answer.
 *
 * GATEWAY-1: no request fails because a replica ends, while another answers within the patience; what ends several replicas is not sent to all.
 */
import type { ServerResponse } from "node:http";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import type { HttpRefusal } from "../../serving/protocol/http-refusal.ts";
import { chooseReplica } from "./choose-replica.ts";
import type { DeploymentTable, KnownDeployment } from "./deployment-table.ts";
import type { ReplicaAnswer, ReplicaPool, ReplicaRequest } from "./replica-pool.ts";

/** A request waits for a replica that starts, or for another in place of one that ended, ms. */
const patienceMs = 10_000;
/** Between two looks for one, ms. */
const lookMs = 100;
/** The mesh may take this long to say what there is before one looks again at what it said, ms. */
const refreshMs = 1_000;
/** A request that broke at so many replicas may be what ends them. */
const brokenMax = 4;
const retryAfterSeconds = 2;

export interface ForwardOptions {
  readonly table: DeploymentTable;
  readonly clock: Clock;
  readonly draw: () => number;
  /** Told of each time that a request goes to another replica. */
  readonly onRetry: (deployment: string) => void;
  readonly patienceMs?: number;
}

export type Forwarded =
  | { readonly kind: "answered"; readonly answer: ReplicaAnswer }
  | { readonly kind: "refused"; readonly down: HttpRefusal }
  /** Whoever asked has left. */
  | { readonly kind: "gone" };

/** `find`: the deployment as it is now, by whatever the request calls it. */
export async function forwardRequest(
  { clock, draw, onRetry, table, ...options }: ForwardOptions,
  find: () => KnownDeployment | undefined,
  request: ReplicaRequest,
  response: Pick<ServerResponse, "destroyed" | "once" | "off">,
): Promise<Forwarded> {
  const deadline = clock.monotonic() + (options.patienceMs ?? patienceMs);
  const left = new AbortController();
  const leave = () => left.abort();
  response.once("close", leave);
  const tried = new Set<ReplicaPool>();
  let broken = 0;
  let isNew = true;
  try {
    for (;;) {
      if (response.destroyed) return { kind: "gone" };
      const known = find();
      const pool =
        known === undefined ? null : chooseReplica(table.ready(known), tried, clock.monotonic(), draw);
      if (known === undefined || pool === null) {
        const down = refusalOf(known, table.isTold);
        // One that was opened a moment ago is not known here yet.
        if (clock.monotonic() >= deadline || (down.status === 404 && !isNew))
          return { kind: "refused", down };
        isNew = false;
        tried.clear();
        // The mesh may be away.
        await Promise.race([sleep(clock, refreshMs), Promise.all([sleep(clock, lookMs), table.refresh()])]);
        continue;
      }
      const asked = await pool.ask(request, left.signal);
      if (asked.kind === "answered" && asked.answer.status !== 503)
        return { kind: "answered", answer: asked.answer };
      if (left.signal.aborted) return { kind: "gone" };
      if (asked.kind === "answered") asked.answer.rest?.destroy();
      tried.add(pool);
      pool.failed(clock.monotonic());
      if (asked.kind === "broke" && asked.wasAsked) broken++;
      if (broken >= brokenMax || clock.monotonic() >= deadline)
        return { kind: "refused", down: brokenDown(known, broken) };
      onRetry(known.deployment);
      void table.refresh();
    }
  } finally {
    response.off("close", leave);
  }
}

function brokenDown({ deployment }: KnownDeployment, broken: number): HttpRefusal {
  const message =
    broken >= brokenMax
      ? `${broken} replicas of ${deployment} ended or did not answer while they had this request; it is not sent to another`
      : `no replica of ${deployment} answers now; try again later`;
  return { status: 503, message, retryAfterSeconds };
}

function refusalOf(known: KnownDeployment | undefined, isTold: boolean): HttpRefusal {
  if (known === undefined && !isTold) {
    const message = "the mesh has not said yet which deployments there are; try again later";
    return { status: 503, message, retryAfterSeconds };
  }
  if (known === undefined)
    return {
      status: 404,
      message: "there is no such deployment; /v2/repository/index lists those that there are",
    };
  const { deployment, state, why } = known;
  if (state === "stopped" || state === "stopping")
    return { status: 404, message: `the deployment ${deployment} was stopped` };
  const because = why === null ? `it is ${state}` : why;
  return {
    status: 503,
    message: `no replica of ${deployment} answers now: ${because}; try again later`,
    retryAfterSeconds,
  };
}
