/**
 * The credential with which a part of this home runs: made here where the home holds the mesh's
 * keys, else the one that an invitation brought.
 */
import { ensureCredential } from "../admission.ts";
import type { Credential } from "../credential.ts";
import { currentCredential } from "../current-credential.ts";
import { homePath, openHome, type Home } from "../home.ts";
import { readCertificate } from "../home-tls.ts";
import { loadIdentity } from "../identity.ts";
import { acceptInvite } from "../join.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { storedUsers } from "../connect.ts";
import { machineName } from "./machine-name.ts";
import type { Environment } from "../../system/environment.ts";

export interface Local {
  readonly home: Home;
  readonly credential: Credential;
}

export interface LocalOptions {
  readonly join?: string;
  /** With `join`, to a server of somebody's own: path of the certificate of who signs for it. */
  readonly ca?: string;
  readonly name?: string;
}

export async function localCredential(
  environment: Environment,
  role: "agent" | "coordinator",
  options: LocalOptions,
): Promise<Outcome<Local>> {
  if (options.join !== undefined) {
    const ca = options.ca === undefined ? accept(null) : readCertificate(options.ca);
    if (!ca.ok) return ca;
    const joining = { machine: machineName(), role, ca: ca.value };
    return acceptInvite(homePath(environment), options.join, joining);
  }
  if (options.ca !== undefined)
    return refuse(
      "invalid",
      `--ca says whom to believe at the first contact, and the home keeps it; give it together with --join, or leave it out`,
    );
  const home = openHome(homePath(environment));
  if (!home.ok) return home;
  const identity = loadIdentity(home.value);
  if (!identity.ok && identity.refusal.code !== "forbidden") return identity;
  const credential = identity.ok
    ? await ensureCredential(home.value, role, options.name ?? machineName(), Math.floor(Date.now() / 1000))
    : await storedCredential(home.value, role, options.name);
  return credential.ok ? accept({ home: home.value, credential: credential.value }) : credential;
}

async function storedCredential(
  home: Home,
  role: "agent" | "coordinator",
  name: string | undefined,
): Promise<Outcome<Credential>> {
  const stored = storedUsers(home, [role]).map((user) => user.name);
  const chosen = name ?? (stored.length === 1 ? stored[0] : undefined);
  if (chosen !== undefined && stored.includes(chosen))
    return currentCredential(home, role, chosen, machineName());
  if (stored.length === 0)
    return refuse(
      "forbidden",
      `${home.path} holds no credential of a${role === "agent" ? "n agent" : " coordinator"}; join with the line of \`trialmesh invite ${role} NAME\``,
    );
  if (chosen !== undefined)
    return refuse(
      "unknown",
      `${home.path} holds no credential of ${role} "${chosen}", ${suggestion(chosen, stored)}`,
    );
  return refuse(
    "invalid",
    `several ${role}s joined from ${home.path} (${stored.join(", ")}); say which with --name NAME`,
  );
}
