/**
 * The desktops of a Linux machine, by the best witness each has: GNOME's clock, the X server's, else the hint
 * to logind. A desktop nobody speaks for makes idleness unknown, however long the terminals were silent.
 */
import { readdirSync } from "node:fs";
import { hintOf, type DesktopSession, type Logind } from "./logind.ts";
import { leastIdle, type IdleReading, type IdleSource } from "./idle-source.ts";
import { askMutter } from "./mutter.ts";
import { askX11 } from "./x11.ts";

export interface DesktopOptions {
  readonly logind: Logind;
  /** The agent's own user: only this user's desktops answer it. */
  readonly uid: number;
  readonly environment: NodeJS.ProcessEnv;
  /** ms since the Unix epoch. */
  readonly now: () => number;
  readonly mutter?: typeof askMutter;
  readonly x11?: typeof askX11;
}

const name = "desktop";
/** While a finer source answers, logind is needed only for who is here. */
const knownMaxAgeMs = 5_000;
const x11Sockets = "/tmp/.X11-unix";

export function desktop(options: DesktopOptions): IdleSource {
  const { environment, logind, now, uid, mutter = askMutter, x11 = askX11 } = options;
  let fine = false;

  async function clockOf(session: Pick<DesktopSession, "type" | "display">): Promise<IdleReading> {
    const ofMutter = await mutter(uid);
    if (ofMutter.kind === "idle" || session.type === "wayland") return ofMutter;
    return x11(environment["DISPLAY"] ?? session.display ?? ":0");
  }

  async function idlenessOf(session: DesktopSession): Promise<IdleReading> {
    const clock: IdleReading =
      session.uid === uid ? await clockOf(session) : { kind: "absent", why: "another user's" };
    if (clock.kind === "idle") {
      fine = true;
      return clock;
    }
    const hint = hintOf(session, now());
    return hint.kind === "unknown" ? { kind: "unknown", why: `${hint.why}, and ${clock.why}` } : hint;
  }

  return {
    name,
    read: async () => {
      const sessions = await logind.desktops(fine ? knownMaxAgeMs : 0);
      fine = false;
      if (sessions !== null) {
        if (sessions.length === 0) return { kind: "absent", why: "nobody has a desktop open" };
        return leastIdle(sessions.map((session) => ({ name, read: () => idlenessOf(session) })));
      }
      // Without logind nobody says who is here: what can be seen of a display server has to do.
      const type = environment["WAYLAND_DISPLAY"] === undefined ? "x11" : "wayland";
      const display = environment["DISPLAY"] ?? displaySocket();
      if (type === "x11" && display === null) return { kind: "absent", why: "there is no desktop" };
      const clock = await clockOf({ type, display });
      return clock.kind === "absent"
        ? { kind: "unknown", why: `a desktop is open, and ${clock.why}` }
        : clock;
    },
  };
}

function displaySocket(): string | null {
  try {
    const socket = readdirSync(x11Sockets).find((file) => /^X\d+$/.test(file));
    return socket === undefined ? null : `:${socket.slice(1)}`;
  } catch {
    return null; // there is no such folder, so no server
  }
}
