/** One line that lets another machine or person join, with the address that others reach this mesh at. */
import { networkInterfaces } from "node:os";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { makeInvite, type InvitedRole } from "../../mesh/invite.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Environment } from "../../system/environment.ts";

export interface Invitation {
  readonly role: InvitedRole;
  readonly name: string;
  readonly url: string;
  /** A credential: whoever holds it is that user. */
  readonly line: string;
}

export interface MakeInvitationOptions {
  readonly role: InvitedRole;
  readonly name: string;
  /** Of the mesh as the other machine reaches it; left out: what can be found out here. */
  readonly url?: string | undefined;
  /** Seconds since the Unix epoch. */
  readonly nowS: number;
}

export async function makeInvitation(
  environment: Environment,
  { name, nowS, role, url: given }: MakeInvitationOptions,
): Promise<Outcome<Invitation>> {
  const home = openHome(homePath(environment));
  if (!home.ok) return home;
  const url = given ?? outsideUrl(home.value);
  const made = await makeInvite(home.value, role, name, nowS, url);
  return made.ok ? accept({ role, name, url, line: joinLine(role, made.value) }) : made;
}

/** Only the machine itself reaches such an address. */
export function isLoopback({ url }: Invitation): boolean {
  return /\/\/(127\.|localhost)/.test(url);
}

function joinLine(role: InvitedRole, token: string): string {
  return role === "requester" || role === "viewer"
    ? `trialmesh join ${token}`
    : `trialmesh ${role} --join ${token}`;
}

/** The address others reach this machine at, where the server listens for others at all. */
function outsideUrl(home: Home): string {
  const listen = readUpRecord(home)?.listen;
  if (listen !== "0.0.0.0" && listen !== "::") return home.url;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === "IPv4");
  return outside === undefined ? home.url : `nats://${outside.address}:${home.url.split(":").at(-1)}`;
}
