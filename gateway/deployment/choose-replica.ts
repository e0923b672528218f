/** GATEWAY-2: of the replicas that answer, the one with the fewest requests gets the next; one that failed lately only where there is no other. */
import type { ReplicaPool } from "./replica-pool.ts";

type Choosable = Pick<ReplicaPool, "busy" | "isAside">;

/** `tried`: those at which this request broke already. Null where there is none that is worth asking now. */
export function chooseReplica<R extends Choosable>(
  ready: readonly R[],
  tried: ReadonlySet<R>,
  now: number,
  draw: () => number,
): R | null {
  const fresh = ready.filter((one) => !tried.has(one));
  const sound = fresh.filter((one) => !one.isAside(now));
  const among = sound.length > 0 ? sound : fresh;
  const least = Math.min(...among.map(({ busy }) => busy));
  const alike = among.filter(({ busy }) => busy === least);
  return alike[Math.floor(draw() * alike.length)] ?? null;
}
