/** Where benches keep what they install and write: on the project's own disk, never in memory-backed /tmp. */
import { join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";

export const benchFolder: string = join(projectFolder, ".cache", "bench");
