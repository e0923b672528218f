/**
 * Waits until a long-lived command should end: ctrl-c, SIGTERM, the end of the parent that started
 * it as a part, or a connection that was closed for good. A second ctrl-c ends at once.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import { exitCode } from "../../protocol/exit-code.ts";

export type StopReason = { readonly kind: "asked" } | { readonly kind: "closed"; readonly reason: string };

export function untilStopped(bus: Bus | null): Promise<StopReason> {
  return waitForStop(bus).finally(() => {
    // A channel that is listened to keeps the process alive after its work.
    if (process.connected) process.disconnect();
  });
}

function waitForStop(bus: Bus | null): Promise<StopReason> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(exitCode.interrupted);
      asked = true;
      resolve({ kind: "asked" });
    };
    process.on("SIGINT", ask);
    process.on("SIGTERM", () => {
      asked = true;
      resolve({ kind: "asked" });
    });
    if (process.connected) process.once("disconnect", () => resolve({ kind: "asked" }));
    bus?.onStatus((event) => {
      if (event.kind === "closed") resolve({ kind: "closed", reason: event.reason });
    });
    const closed = bus?.closedReason();
    if (closed !== undefined) resolve({ kind: "closed", reason: closed });
  });
}
