/** Where a server listens, and what is said where it cannot. */
import type { Server } from "node:net";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export interface ServingAddress {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface ServingTls {
  readonly cert: string;
  readonly key: string;
}

/** The port that it got. `flag`: which one says another. */
export async function listen(
  server: Server,
  { host, port }: ServingAddress,
  flag: string,
): Promise<Outcome<number>> {
  const fault = await new Promise<Error | null>((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => resolve(null));
  });
  if (fault !== null)
    return refuse("unavailable", `${hostText(host)}:${port} cannot be listened on: ${whyNot(fault, flag)}`);
  // A connection that could not be taken, for want of descriptors, is the caller's loss.
  server.on("error", () => undefined);
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("broken invariant: a server without a port");
  return accept(address.port);
}

/** `scheme`: with its `://`, or nothing. */
export function urlOf(scheme: string, { host, port }: ServingAddress): string {
  return `${scheme}${hostText(host)}:${port}`;
}

function whyNot(fault: Error, flag: string): string {
  switch ("code" in fault ? fault.code : "") {
    case "EADDRINUSE":
      return `another program listens there; choose another with ${flag}`;
    case "EACCES":
      return "this user may not; ports from 1024 up are for everybody";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
    case "ENOTFOUND":
      return "there is no such host";
    default:
      return "the system refused";
  }
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
