/** The place of a requester's module in the sandbox: Node, this project, the job's own files. A module needs no network for its work. */
import { join } from "node:path";
import { runtimeFolder } from "../../training/runtime/managed-package.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import type { Environment } from "../../system/environment.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import type { Job } from "../runner/runner.ts";
import type { Confinement, Sandbox } from "../sandbox/sandbox.ts";

/** SANDBOX-8. Makes the folder of the job, which is mounted. */
export function moduleConfinement(sandbox: Sandbox, job: Job, environment: Environment): Confinement {
  const { bestBefore, checkpointDir, datasetPath, expectationsPath, fromCheckpointPath, parts } = job;
  const files = [
    datasetPath,
    expectationsPath,
    fromCheckpointPath,
    bestBefore?.path,
    ...Object.values(parts),
  ];
  makeFolderSync(checkpointDir, 0o700);
  return {
    sandbox,
    channel: "advanced",
    door: null,
    folders: {
      readable: [
        ...[process.execPath, projectFolder, runtimeFolder(environment)],
        ...files.flatMap((path) => (path === null || path === undefined ? [] : [path])),
      ],
      writable: [checkpointDir],
      temporary: join(checkpointDir, "temporary"),
    },
  };
}
