/** A command of the owner's choice that prints the seconds since the last input; where the built-in sources see nothing. */
import { askProgram } from "../../../system/ask-program.ts";
import type { IdleReading, IdleSource } from "./idle-source.ts";

const name = "the owner's command";
const shownChars = 40;

export function ownerCommand(command: string): IdleSource {
  const [program, ...flags] =
    process.platform === "win32" ? ["cmd.exe", "/d", "/s", "/c"] : ["/bin/sh", "-c"];
  return {
    name,
    read: async () => {
      const answer = await askProgram(program, [...flags, command]);
      return answer.ok ? readSeconds(answer.text) : { kind: "unknown", why: `${name}: ${answer.why}` };
    },
  };
}

/** Seconds, whole or not: "0", "312.5". */
export function readSeconds(text: string): IdleReading {
  const word = text.trim();
  const seconds = /^\d+(\.\d+)?$/.test(word) ? Number(word) : NaN;
  return Number.isFinite(seconds)
    ? { kind: "idle", source: name, ms: seconds * 1000 }
    : {
        kind: "unknown",
        why: `${name} printed "${word.slice(0, shownChars)}", not the seconds since the last input`,
      };
}
