/** Which Python `${interpreter}` means on this machine, and its version. It runs nobody's program. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { guardedEnvironment } from "../../system/own-guard.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const names = ["python", "python3"];
const versionDeadlineMs = 5_000;

/** TRIALMESH_PYTHON, else the first of python and python3 that the path has. W&B writes python; many systems have only python3. */
export function findInterpreter(environment: Environment): string {
  const wanted = environment["TRIALMESH_PYTHON"];
  if (wanted !== undefined && wanted !== "") return wanted;
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.find((name) => folders.some((folder) => isExecutable(join(folder, name)))) ?? "python";
}

/** What it says of itself, such as 3.12.4; null where it does not start or is no Python. */
export function pythonVersion(interpreter: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(interpreter, ["-c", "import platform; print(platform.python_version())"], {
      env: guardedEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
      timeout: versionDeadlineMs,
      killSignal: "SIGKILL",
    });
    let text = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (part: string) => (text += part));
    child.once("error", () => resolve(null));
    child.once("close", (code) => {
      const version = /^\d+(\.\d+)+/.exec(text.trim())?.[0] ?? null;
      resolve(code === 0 ? version : null);
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
