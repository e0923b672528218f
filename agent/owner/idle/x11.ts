/** The X server's clock of idleness (MIT-SCREEN-SAVER extension), through `xprintidle`. Under Wayland it sees only some windows, so it is not asked there. */
import { askProgram } from "../../../system/ask-program.ts";
import type { IdleReading } from "./idle-source.ts";

export async function askX11(display: string): Promise<IdleReading> {
  const answer = await askProgram("xprintidle", [], { ...process.env, DISPLAY: display });
  return answer.ok ? readXprintidle(answer.text) : { kind: "absent", why: answer.why };
}

/** Ms, alone on a line. */
export function readXprintidle(text: string): IdleReading {
  const word = text.trim();
  return /^\d+$/.test(word)
    ? { kind: "idle", source: "x11", ms: Number(word) }
    : { kind: "unknown", why: "xprintidle answered in a form that is not known" };
}
