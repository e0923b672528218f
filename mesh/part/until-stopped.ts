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

/** `endMs`: how long ending may take. Once in a process, at its start: what is asked meanwhile is not asked again. */
export function untilStopped(endMs: number): Promise<StopReason> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      asked = true;
      limitEnd(endMs);
      resolve({ kind: "asked" });
    };
    process.on("SIGINT", () => {
      if (asked) process.exit(exitCode.interrupted);
      ask();
    });
    process.on("SIGTERM", ask);
    process.on("SIGHUP", ask);
    void parentGone().then(ask);
  });
}

/** Until the connection is closed for good. `endMs`: how long ending may take then. */
export function untilClosed(bus: Bus, endMs: number): Promise<StopReason> {
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      limitEnd(endMs);
      resolve({ kind: "closed", reason });
    };
    bus.onStatus((event) => {
      if (event.kind === "closed") end(event.reason);
    });
    const closed = bus.closedReason();
    if (closed !== undefined) end(closed);
  });
}

function limitEnd(endMs: number): void {
  setTimeout(() => process.exit(exitCode.interrupted), endMs).unref();
}
