/**
 * What systemd-logind knows of the desktops on this machine, through `loginctl`. A desktop tells it when it
 * thinks itself idle, after a delay of its own, and many never do: then logind does not know. Terminals are
 * read elsewhere. Fields: org.freedesktop.login1(5).
 */
import { askProgram, type Answer } from "../../../system/ask-program.ts";
import type { IdleReading } from "./idle-source.ts";

export interface DesktopSession {
  readonly id: string;
  readonly uid: number | null;
  readonly type: "x11" | "wayland" | "mir";
  /** The X display, such as ":0"; null where there is none. */
  readonly display: string | null;
  readonly idleHint: boolean;
  /** When the hint last changed, ms since the Unix epoch; null when the desktop has never said. */
  readonly since: number | null;
}

const properties = ["Id", "User", "Type", "Class", "State", "Display", "IdleHint", "IdleSinceHint"];
const usPerMs = 1000;
/** Sessions come and go seldom. */
const listMaxAgeMs = 5_000;

/** `loginctl list-sessions --no-legend`: one session a line, its id first. */
export function readSessionIds(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((id) => /^[A-Za-z0-9]+$/.test(id));
}

/** `loginctl show-session ID… -p …`: blocks of `Key=value`, parted by blank lines. Gives the desktops among them. */
export function readDesktops(text: string): DesktopSession[] {
  return text.split(/\n\s*\n/).flatMap((block) => {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const at = line.indexOf("=");
      if (at > 0) fields.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
    }
    const type = fields.get("Type");
    if (type !== "x11" && type !== "wayland" && type !== "mir") return [];
    // A session that is closing has nobody before it, and a manager or background one never had.
    const people = ["user", "greeter", "lock-screen"].includes(fields.get("Class") ?? "user");
    if (!people || fields.get("State") === "closing") return [];
    const since = Number(fields.get("IdleSinceHint") ?? "0");
    const uid = fields.get("User") ?? "";
    const display = fields.get("Display") ?? "";
    return [
      {
        id: fields.get("Id") ?? "?",
        uid: /^\d+$/.test(uid) ? Number(uid) : null,
        type,
        display: display === "" ? null : display,
        idleHint: fields.get("IdleHint") === "yes",
        since: Number.isFinite(since) && since > 0 ? since / usPerMs : null,
      },
    ];
  });
}

/** `nowMs` is the time of day, as logind's stamps are. */
export function hintOf({ id, idleHint, since }: DesktopSession, nowMs: number): IdleReading {
  if (since === null)
    return { kind: "unknown", why: `the desktop of session ${id} does not tell logind when it is idle` };
  return { kind: "idle", source: "logind", ms: idleHint ? Math.max(0, nowMs - since) : 0 };
}

export interface Logind {
  /** The desktops; null where logind does not run. `maxAgeMs`: how old the answer may be. */
  desktops(maxAgeMs: number): Promise<readonly DesktopSession[] | null>;
}

/** `nowMs`: monotonic ms, for the age of answers. */
export function logind(nowMs: () => number, ask: typeof askProgram = askProgram): Logind {
  let ids: { readonly at: number; readonly answer: Answer } | null = null;
  let last: { readonly at: number; readonly desktops: readonly DesktopSession[] | null } | null = null;
  return {
    async desktops(maxAgeMs) {
      const now = nowMs();
      if (last !== null && now - last.at < maxAgeMs) return last.desktops;
      if (ids === null || now - ids.at >= listMaxAgeMs)
        ids = { at: now, answer: await ask("loginctl", ["list-sessions", "--no-legend"]) };
      if (!ids.answer.ok) {
        last = { at: now, desktops: null };
        return null;
      }
      const names = readSessionIds(ids.answer.text);
      const shown =
        names.length === 0
          ? ""
          : await ask("loginctl", ["show-session", ...names, ...properties.flatMap((name) => ["-p", name])]);
      if (typeof shown !== "string" && !shown.ok) ids = null; // one of them has ended meanwhile
      const text = typeof shown === "string" ? shown : shown.ok ? shown.text : null;
      last = { at: now, desktops: text === null ? (last?.desktops ?? null) : readDesktops(text) };
      return last.desktops;
    },
  };
}
