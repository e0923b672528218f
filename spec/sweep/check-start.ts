/** What no program can be started with, whatever its parameters are: known from the file alone, so no trial is begun for it. */
import type { Path } from "../yaml/located-yaml.ts";
import type { CommandSweep } from "./command-sweep.ts";

interface StartFault {
  readonly field: Path;
  readonly message: string;
}

export function startFaults({ command, environment, program }: CommandSweep): readonly StartFault[] {
  const faults: StartFault[] = [];
  const refuse = (field: Path, message: string) => faults.push({ field, message });
  for (const [index, word] of command.entries()) if (hasNul(word)) refuse(["command", index], nulInIt);
  if (program !== null && hasNul(program)) refuse(["program"], nulInIt);
  for (const [name, value] of Object.entries(environment)) {
    if (hasNul(name) || hasNul(value)) refuse(["environment", name], nulInIt);
    else if (name.includes("="))
      refuse(["environment", name], "has a = in its name, which no variable may have");
  }
  return faults;
}

const nulInIt = "has a NUL character in it, and no program can be given one";

function hasNul(text: string): boolean {
  return text.includes("\0");
}
