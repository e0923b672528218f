/**
 * The guard over whatever small program this process starts on the way: those that have no guard of their own. One for the
 * whole process, opened with the first of them.
 */
import type { Environment } from "./environment.ts";
import { openGuard } from "./guard.ts";
import { markedEnvironment, newMark } from "./marked-process.ts";

let ownMark: string | null = null;

/** The environment to start it with; it is ended soon after this process is gone. */
export function guardedEnvironment(environment: Environment = process.env): Environment {
  if (ownMark === null) {
    ownMark = newMark();
    openGuard({ mark: ownMark });
  }
  return markedEnvironment(environment, ownMark);
}
