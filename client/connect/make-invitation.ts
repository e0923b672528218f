/** One short line that lets another machine or person join, with the address that others reach this mesh at. */
import { networkInterfaces } from "node:os";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { idOf } from "../../mesh/invitation.ts";
import { makeInvite, type InvitedRole, type InviteOptions } from "../../mesh/invite.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Environment } from "../../system/environment.ts";

export interface Invitation {
  readonly role: InvitedRole;
  readonly name: string;
  readonly url: string;
  /** What to paste on the other machine. */
  readonly line: string;
  /** `CODE@host:port`, in the line: lets in who comes with it. Secret until it was used. */
  readonly code: string;
  /** What it is called by here. */
  readonly id: string;
  readonly uses: number;
  /** Unix time in seconds; null: never. */
  readonly expiresAt: number | null;
  /** Earlier ones for the same name, unused, that this one takes the place of. */
  readonly replaced: number;
}

export async function makeInvitation(
  environment: Environment,
  options: InviteOptions,
): Promise<Outcome<Invitation>> {
  const home = openHome(homePath(environment));
  if (!home.ok) return home;
  const { name, role } = options;
  const made = await makeInvite(home.value, { ...options, url: options.url ?? outsideUrl(home.value) });
  if (!made.ok) return made;
  const { code, invitation, replaced, url } = made.value;
  const { expiresAt, uses } = invitation;
  return accept({
    role,
    name,
    url,
    line: joinLine(role, code),
    code,
    id: idOf(invitation),
    uses,
    expiresAt,
    replaced,
  });
}

/** Only the machine itself reaches such an address. */
export function isLoopback({ url }: Invitation): boolean {
  return /\/\/(127\.|localhost)/.test(url);
}

function joinLine(role: InvitedRole, code: string): string {
  return role === "requester" || role === "viewer"
    ? `trialmesh join ${code}`
    : `trialmesh ${role} --join ${code}`;
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
