/**
 * Waits until a long-lived command should end: ctrl-c, SIGTERM, a terminal that is closed, the end of the parent that started
 * it as a part, or a connection that was closed for good. A second ctrl-c ends at once. END-2: from then on it has so long; what
 * it started is ended by its guards.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { parentGone } from "../../system/parent.ts";

export type StopReason = { readonly kind: "asked" } | { readonly kind: "closed"; readonly reason: string };

/** A part alone; whoever started it waits no longer. */
export const partEndMs = 20_000;
/** An `up`, which ends two parts and a server, each by force if need be. */
export const upEndMs = 55_000;

/** `endMs`: how long ending may take. */
export function untilStopped(bus: Bus | null, endMs: number): Promise<StopReason> {
  return new Promise((resolve) => {
    let asked = false;
    const end = (reason: StopReason): void => {
      asked = true;
      setTimeout(() => process.exit(exitCode.interrupted), endMs).unref();
      resolve(reason);
    };
    const ask = (): void => end({ kind: "asked" });
    process.on("SIGINT", () => {
      if (asked) process.exit(exitCode.interrupted);
      ask();
    });
    process.on("SIGTERM", ask);
    process.on("SIGHUP", ask);
    void parentGone().then(ask);
    bus?.onStatus((event) => {
      if (event.kind === "closed") end({ kind: "closed", reason: event.reason });
    });
    const closed = bus?.closedReason();
    if (closed !== undefined) end({ kind: "closed", reason: closed });
  });
}
