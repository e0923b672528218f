/** TLS-4: the one way to a mesh's message server: who connects says where it is and whom it is believed by, and is told why it is not. */
import type { Bus } from "../protocol/bus/bus.ts";
import { UntrustedServer } from "../protocol/bus/bus-tls.ts";
import { connectBus, type NatsBusOptions } from "../protocol/bus/nats-bus.ts";
import { serverFault } from "./server-fault.ts";
import { busTls, type ServerPlace } from "./server-trust.ts";

/** Throws as `connectBus` does, and `UntrustedServer` where the server is another than it should be. */
export function connectServer(
  { tls, url }: ServerPlace,
  options: Omit<NatsBusOptions, "servers" | "tls" | "untrusted">,
): Promise<Bus> {
  const place = { tls, url };
  return connectBus({
    ...options,
    servers: url,
    tls: busTls(place),
    untrusted: async () => {
      const fault = await serverFault(place, Date.now());
      return fault === null ? null : new UntrustedServer(url, fault);
    },
  });
}
