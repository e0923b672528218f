/**
 * Invitations: one line that lets another machine join, holding the address and a credential of
 * its own. Whoever holds the line is that user, so it is shown once and stored nowhere here.
 */
import * as z from "zod";
import { longText } from "../protocol/bound.ts";
import { nameSchema } from "../protocol/name.ts";
import { meshOwner } from "../protocol/program.ts";
import { accept, parseOutside, refuse, type Outcome } from "../protocol/refusal.ts";
import { roles } from "../protocol/subjects.ts";
import { issueCredential, readCredential, storeCredential, type Credential } from "./credential.ts";
import { homeExists, openHome, saveHome, type Home } from "./home.ts";

/** Version 2 brings a credential for an account of one's own: a program that reads version 1 could not work in it. */
export const tokenPrefix = "tm2.";

/** All but the owner: that is whoever made the mesh. A coordinator elsewhere stands by to lead. */
export const invitedRoles = ["agent", "requester", "viewer", "coordinator"] as const;
export type InvitedRole = (typeof invitedRoles)[number];

const inviteSchema = z.object({
  v: z.literal(2),
  mesh: nameSchema,
  url: longText.regex(/^(nats|tls):\/\/[^\s/]+$/, "a server's address looks like nats://host:4222"),
  role: z.enum(roles),
  name: nameSchema,
  creds: longText,
});

export interface Invite {
  readonly mesh: string;
  readonly url: string;
  readonly credential: Credential;
}

/**
 * Makes a user and the line that hands it over. `url` is the address the other machine will use,
 * where it differs from this machine's own; `nowS` is Unix time in seconds.
 */
export async function makeInvite(
  home: Home,
  role: InvitedRole,
  name: string,
  nowS: number,
  url: string = home.url,
): Promise<Outcome<string>> {
  const address = parseOutside(inviteSchema.shape.url, url, "the address to hand out");
  if (!address.ok) return address;
  // What the mesh's owner may do, such as run programs on machines that allow only theirs, goes by this name.
  if (role === "requester" && name === meshOwner)
    return refuse(
      "invalid",
      `${meshOwner} is the name of whoever made this mesh; give the requester another`,
    );
  const issued = await issueCredential(home, role, name, nowS);
  if (!issued.ok) return issued;
  const body: z.infer<typeof inviteSchema> = {
    v: 2,
    mesh: home.mesh,
    url,
    role,
    name,
    creds: issued.value.creds,
  };
  return accept(tokenPrefix + Buffer.from(JSON.stringify(body), "utf8").toString("base64url"));
}

/** Reads the line; checks the credential's signature and that it is the user the line names. */
export async function readInvite(token: string): Promise<Outcome<Invite>> {
  const line = token.trim();
  const again = "paste the whole line that `trialmesh invite` printed";
  if (!line.startsWith(tokenPrefix)) {
    const version = /^tm(\d+)\./.exec(line)?.[1];
    return version === undefined
      ? refuse("invalid", `this is not an invitation (it would start with ${tokenPrefix}); ${again}`)
      : refuse(
          "invalid",
          `this invitation is of version ${version} and this trialmesh reads version 2; use the same trialmesh on both machines`,
        );
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(line.slice(tokenPrefix.length), "base64url").toString("utf8"));
  } catch {
    return refuse("invalid", `the invitation was cut short or changed on the way; ${again}`);
  }
  const parsed = parseOutside(inviteSchema, body, "the invitation");
  if (!parsed.ok) return parsed;
  const { mesh, url, role, name, creds } = parsed.value;
  const credential = await readCredential(creds, "the invitation's credential");
  if (!credential.ok) return credential;
  if (credential.value.role !== role || credential.value.name !== name) {
    return refuse(
      "invalid",
      `the invitation names ${role} ${name} but holds another user's credential; ${again}`,
    );
  }
  return accept({ mesh, url, credential: credential.value });
}

/**
 * Joins this machine: makes the home (or checks that it belongs to the same mesh) and stores the
 * credential. Running it again with the same line changes nothing.
 */
export async function acceptInvite(
  path: string,
  token: string,
): Promise<Outcome<{ home: Home; credential: Credential }>> {
  const invite = await readInvite(token);
  if (!invite.ok) return invite;
  const { mesh, url, credential } = invite.value;
  if (homeExists(path)) {
    const present = openHome(path);
    if (!present.ok) return present;
    if (present.value.mesh !== mesh) {
      return refuse(
        "conflict",
        `${path} belongs to mesh ${present.value.mesh} and the invitation is to mesh ${mesh}; choose another folder with TRIALMESH_HOME`,
      );
    }
  }
  const home = saveHome(path, mesh, url);
  if (!home.ok) return home;
  const stored = storeCredential(home.value, credential);
  if (!stored.ok) return stored;
  return accept({ home: home.value, credential });
}

/** Narrows a role given on a command line to those that can be invited. */
export function invitedRole(role: string): Outcome<InvitedRole> {
  const known = invitedRoles.find((candidate) => candidate === role);
  return known === undefined
    ? refuse("unknown", `cannot invite a "${role}"; invite one of: ${invitedRoles.join(", ")}`)
    : accept(known);
}
