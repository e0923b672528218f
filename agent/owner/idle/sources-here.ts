/** The sources of idleness of this kind of machine. A command of the owner's replaces them: the owner knows better. */
import { desktop } from "./desktop.ts";
import type { IdleSource } from "./idle-source.ts";
import { logind } from "./logind.ts";
import { macInput } from "./mac.ts";
import { ownerCommand } from "./owner-command.ts";
import { linuxTerminals, macTerminals, terminals } from "./tty.ts";
import { windowsInput } from "./windows.ts";

export function idleSourcesHere(command: string | null): readonly IdleSource[] {
  if (command !== null) return [ownerCommand(command)];
  const now = () => Date.now();
  const monotonic = () => performance.now();
  switch (process.platform) {
    case "linux": {
      const uid = process.getuid?.() ?? -1;
      return [
        desktop({ logind: logind(monotonic), uid, environment: process.env, now }),
        terminals(linuxTerminals, now),
      ];
    }
    case "darwin":
      return [macInput(), terminals(macTerminals, now)];
    case "win32":
      return [windowsInput(monotonic)];
    default:
      return [terminals(linuxTerminals, now)];
  }
}
