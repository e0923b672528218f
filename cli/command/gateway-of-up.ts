/** The gateway that `trialmesh up` has on loopback: on its usual port, or where that is taken on any. It is no reason for `up` to end. */
import { connectMesh } from "../../client/connect/connect-mesh.ts";
import { noteGateway } from "../../mesh/part/up-record.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Terminal } from "../shell/terminal.ts";

/** Where a gateway listens unless it is told. */
export const gatewayPort = 4280;
/** At the end of `up` what was asked is answered within this. */
const drainMs = 2_000;

export interface GatewayOfUp {
  readonly url: string;
  close(): Promise<void>;
}

/** Null where there is none; why is said. */
export async function openGatewayOfUp(terminal: Terminal): Promise<GatewayOfUp | null> {
  const connected = await connectMesh(terminal.environment);
  if (!connected.ok) {
    terminal.note(`no gateway: ${connected.refusal.message}`);
    return null;
  }
  const { gatewaySource, openGateway } = await import("../../gateway/open-gateway.ts");
  const openAt = (port: number) =>
    openGateway(gatewaySource(connected.value), {
      ...{ address: { host: "127.0.0.1", port }, keys: null, tls: null },
      ...{ clock: systemClock, draw: Math.random },
    });
  const usual = await openAt(gatewayPort);
  const gateway = usual.ok ? usual : await openAt(0);
  if (!gateway.ok) {
    terminal.note(`no gateway: ${gateway.refusal.message}`);
    await connected.value.bus.close();
    return null;
  }
  const { drain, url } = gateway.value;
  noteGateway(connected.value.home, url);
  return {
    url,
    close: async () => {
      await drain(drainMs);
      await connected.value.bus.close();
    },
  };
}
