/**
 * A nats-server that somebody else runs, given by NATS_URL. It must trust this mesh's keys: what it needs
 * for that is written to a file for its configuration to include. Nothing is started or stopped here.
 */
import { BusError } from "../protocol/bus/bus.ts";
import { connectServer } from "./connect-server.ts";
import { UntrustedServer } from "../protocol/bus/bus-tls.ts";
import { refuse, type Outcome } from "../protocol/refusal.ts";
import type { Credential } from "./credential.ts";
import { inHome, saveHome, type Home } from "./home.ts";
import { loadIdentity } from "./identity.ts";
import { pushAccounts } from "./push-account.ts";
import { writePrivateFile } from "../system/private-file.ts";
import { trustText } from "./server-config.ts";
import { greetingAt } from "./port.ts";
import { parseServerVersion, unsoundness } from "./server-version.ts";
import { trustOf } from "./trust.ts";

/** `home`: with the server's address and whom it is believed by. Gives it once the server has let the owner in. */
export async function useOutsideServer(
  home: Home,
  owner: Credential,
  nowS: number,
  allowOld: boolean,
): Promise<Outcome<Home>> {
  const { tls, url } = home;
  const trust = await trustOf(home, "trialmesh-accounts");
  if (!trust.ok) return trust;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const greeting = await greetingAt(url);
  const version = greeting.startsWith("INFO") ? parseServerVersion(versionIn(greeting)) : null;
  const why = version === null ? null : unsoundness(version);
  if (why !== null && !allowOld)
    return refuse(
      "unavailable",
      `the server at NATS_URL ${url} is not to be used: ${why}; bring it up to date`,
    );
  const file = inHome(home.path, "server", "trust.conf");
  const written = writePrivateFile(file, trustText(trust.value));
  if (!written.ok) return written;
  // One that knows the keys may not know every user yet, and one that does not is told from its answer to the owner.
  const told = await pushAccounts(home, identity.value, trust.value.accounts, nowS);
  if (!told.ok && told.refusal.code !== "unavailable") return told;
  try {
    const { creds, inboxPrefix } = owner;
    const bus = await connectServer(home, { creds, name: "trialmesh up", inboxPrefix });
    await bus.close();
    // A server without any authorization lets the owner in as well, and everybody else.
    if (await letsAnyoneIn(home)) return refuse("forbidden", includeFirst(url, "lets anyone in", file));
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    if (error instanceof UntrustedServer)
      return refuse(
        "forbidden",
        `${error.message}; ${tls === null ? "write NATS_URL with tls://" : "--ca FILE says who signs for it"}`,
      );
    if (error.kind !== "denied") {
      return refuse(
        "unavailable",
        `no nats-server answers at NATS_URL ${url}; start it, or leave NATS_URL unset`,
      );
    }
    return refuse("forbidden", includeFirst(url, "does not know this mesh's keys", file));
  }
  return saveHome(home.path, home.mesh, url, tls);
}

/** Of `INFO {"server_id":…,"version":"2.15.1",…}`. */
function versionIn(greeting: string): string {
  return /"version":"([^"]*)"/.exec(greeting)?.[1] ?? "";
}

async function letsAnyoneIn({ tls, url }: Home): Promise<boolean> {
  try {
    const bus = await connectServer({ tls, url }, { name: "trialmesh check", inboxPrefix: "_INBOX.check" });
    await bus.close();
    return true;
  } catch (error) {
    if (error instanceof BusError) return false;
    throw error;
  }
}

function includeFirst(url: string, what: string, file: string): string {
  return `the nats-server at NATS_URL ${url} ${what}; copy ${file} beside its configuration, \`include\` it there with jetstream on, and start it again`;
}
