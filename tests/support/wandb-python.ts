/** Pythons with W&B's real package in them, each version in an environment of its own. */
import { broughtPython, pythonIn } from "./brought-folder.ts";

/** The oldest, a middle and the newest version that what is said of wandb was measured with. */
export const wandbVersions = ["0.16.6", "0.19.11", "0.31.0"] as const;
export const newestWandb = "0.31.0";
/** Of numpy's older releases, which the oldest of these wants. */
const others = ["numpy<2"];

export interface WandbPython {
  readonly python: string;
  /** What to give a test as `skip`. */
  readonly skip: string | false;
}

export function wandbPython(version: string): WandbPython {
  const brought = broughtPython(`wandb-${version}`, [`wandb==${version}`, ...others]);
  return brought.ok ? { python: pythonIn(brought.home), skip: false } : { python: "", skip: brought.why };
}
