/** The invitations as text. Their codes are not among it: nobody has them but whoever was given one. */
import type { InvitationView } from "../../client/connect/invitation-view.ts";
import { formatDuration } from "../../text/duration.ts";
import { formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";

const msPerS = 1_000;

export function invitationsText(invitations: readonly InvitationView[]): string {
  const now = Date.now();
  const time = (atS: number) => formatTime(atS * msPerS, now);
  const all = table(
    invitations,
    [
      { head: "ID", cell: ({ id }) => id },
      { head: "INVITED", cell: ({ name, role }) => `${role} ${name}` },
      { head: "STATE", cell: ({ state }) => state },
      { head: "USED", cell: ({ used, uses }) => `${used.length}/${uses}`, right: true },
      { head: "MADE", cell: ({ madeAt }) => time(madeAt) },
      { head: "EXPIRES", cell: ({ expiresAt }) => (expiresAt === null ? "never" : time(expiresAt)) },
    ],
    "nobody was invited lately; `trialmesh invite agent NAME` invites a machine",
  );
  const notes = invitations.flatMap(({ id, turnedAway, used }) => [
    ...used.map(({ at, machine, name }) => `${id}: ${machine} joined as ${name}, ${time(at)}`),
    ...turnedAway.map(
      ({ at, machine }) => `${id}: ${machine} came too late and was turned away, ${time(at)}`,
    ),
  ]);
  return notes.length === 0 ? all : `${all}\n\n${notes.join("\n")}`;
}

/** ` within 1d`, ready to end a sentence with; nothing where it does not expire. */
export function lifeText(expiresAt: number | null, nowS: number): string {
  return expiresAt === null ? "" : ` within ${formatDuration((expiresAt - nowS) * msPerS)}`;
}
