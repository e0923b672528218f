/** SERVE-13, GATEWAY-7. Whether what answers callers may listen at an address: beyond this machine not without keys, nor where they could be read on their way. */
import { isLoopbackHost } from "../../mesh/port.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import type { CallerKeys } from "../../serving/server/caller-key.ts";
import type { ServingAddress, ServingTls } from "../../serving/server/http-door.ts";

interface Exposed {
  readonly address: ServingAddress;
  readonly keys: CallerKeys | null;
  readonly tls: ServingTls | null;
}

/** Null where it may. */
export function exposedRefusal({ address: { host }, keys, tls }: Exposed): Outcome<never> | null {
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
