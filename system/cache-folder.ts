/** The folder of what this machine can make or fetch again: servers, probes, built datasets. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Environment } from "./environment.ts";

/** `TRIALMESH_CACHE`, or `.cache/trialmesh` in the user's own folder. */
export function cacheFolder(environment: Environment): string {
  const given = environment["TRIALMESH_CACHE"];
  return given === undefined || given === "" ? join(homedir(), ".cache", "trialmesh") : resolve(given);
}
