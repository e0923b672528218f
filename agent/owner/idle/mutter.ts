/**
 * GNOME's own clock of idleness, on X11 and Wayland alike: org.gnome.Mutter.IdleMonitor on the session bus.
 * Other Wayland compositors have no such question (ext-idle-notify only sends notices): their owners use a command.
 */
import { existsSync } from "node:fs";
import { askProgram } from "../../../system/ask-program.ts";
import type { IdleReading } from "./idle-source.ts";

const question = [
  "call",
  "--session",
  "--dest=org.gnome.Mutter.IdleMonitor",
  "--object-path=/org/gnome/Mutter/IdleMonitor/Core",
  "--method=org.gnome.Mutter.IdleMonitor.GetIdletime",
];

export async function askMutter(uid: number): Promise<IdleReading> {
  const bus = `/run/user/${uid}/bus`;
  const environment = { ...process.env };
  // Not set for an agent that was started outside the desktop, by ssh or a unit.
  if (environment["DBUS_SESSION_BUS_ADDRESS"] === undefined && existsSync(bus))
    environment["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${bus}`;
  const answer = await askProgram("gdbus", question, environment);
  return answer.ok ? readMutter(answer.text) : { kind: "absent", why: answer.why };
}

/** `(uint64 73912,)`, ms. */
export function readMutter(text: string): IdleReading {
  const ms = /^\(uint64 (\d+),\)$/.exec(text.trim())?.[1];
  return ms === undefined
    ? { kind: "unknown", why: "gdbus answered in a form that is not known" }
    : { kind: "idle", source: "mutter", ms: Number(ms) };
}
