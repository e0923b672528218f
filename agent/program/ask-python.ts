/**
 * What a Python has installed, as it says itself in a process of its own: distributions by their metadata, and the folders whose
 * change means that this has changed. A Python that hangs is given up.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as z from "zod";
import { manyEntriesMax, nameCharactersMax, listOf, sentenceText, textOf } from "../../protocol/bound.ts";
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Capability } from "../../protocol/capability.ts";
import { normalName } from "../../protocol/python-requirement.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { activation } from "./interpreter.ts";
import { baseEnvironment } from "./program-environment.ts";

/** What the mesh gets to know of it. */
export type PythonFacts = Pick<Capability, "environment" | "packages" | "python">;

/** A file or folder, and when it was changed as the system tells it, in nanoseconds; null where there is none. */
export interface Watched {
  readonly path: string;
  readonly changed: string | null;
}

export interface PythonAnswer {
  readonly facts: PythonFacts;
  readonly watched: readonly Watched[];
  /** It is there and said nothing in time. */
  readonly late: boolean;
}

const answerDeadlineMs = 20_000;
const answerBytesMax = 4 * bytesPerMiB;
/** Of all names and versions; a machine registers in one message. */
const packagesBytesMax = 96 * bytesPerKiB;
const digestCharacters = 16;
const versionMark = "trialmesh-python-version ";
const packagesMark = "trialmesh-python-packages ";

/** Where the first of a name is what an import finds. An older Python tells its version only. */
const script = `import sys
sys.path = [p for p in sys.path if p]
import platform
print("${versionMark}" + platform.python_version())
sys.stdout.flush()
import json, os
def changed(p):
    try:
        return str(os.stat(p).st_mtime_ns)
    except OSError:
        return None
places = list(sys.path) + [sys.executable, os.path.join(sys.prefix, "pyvenv.cfg")]
try:
    import site
    if site.ENABLE_USER_SITE:
        places.append(site.getusersitepackages())
except Exception:
    pass
watched = [{"path": p, "changed": changed(p)} for p in dict.fromkeys(places)]
from importlib import metadata
packages = []
for one in metadata.distributions():
    try:
        name, version = one.metadata["Name"], one.version
    except Exception:
        continue
    if isinstance(name, str) and isinstance(version, str):
        packages.append([name, version])
print("${packagesMark}" + json.dumps({"packages": packages, "watched": watched}))
`;

const saidSchema = z.object({
  packages: listOf(z.tuple([sentenceText, sentenceText]), manyEntriesMax),
  watched: listOf(z.object({ path: textOf(bytesPerKiB * 4), changed: sentenceText.nullable() })),
});

export async function askPython(
  interpreter: string,
  environment: Readonly<Record<string, string | undefined>>,
  deadlineMs = answerDeadlineMs,
): Promise<PythonAnswer> {
  const { late, text } = await output(interpreter, environment, deadlineMs);
  const lines = text.split("\n");
  const after = (mark: string) => lines.find((line) => line.startsWith(mark))?.slice(mark.length) ?? "";
  const python = /^\d+(\.\d+)+/.exec(after(versionMark))?.[0] ?? null;
  const said = saidIn(after(packagesMark));
  if (python === null || said === null) return { facts: { python }, watched: [], late };
  const packages = bounded(said.packages);
  const digest = createHash("sha256")
    .update(JSON.stringify([python, packages]))
    .digest("hex");
  const environmentDigest = digest.slice(0, digestCharacters);
  return {
    facts: { python, packages, environment: environmentDigest },
    watched: said.watched,
    late: false,
  };
}

function saidIn(text: string): z.infer<typeof saidSchema> | null {
  try {
    return saidSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** By normal name, in order; the first of a name counts, and what is beyond the bound is left out. */
function bounded(all: readonly (readonly [string, string])[]): Record<string, string> {
  const byName = new Map<string, string>();
  for (const [name, version] of all) {
    const normal = normalName(name);
    const fits = normal.length <= nameCharactersMax && version.length <= nameCharactersMax;
    if (fits && /^[a-z0-9-]+$/.test(normal) && !byName.has(normal)) byName.set(normal, version);
  }
  let bytes = 0;
  const kept = [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .filter((entry) => (bytes += Buffer.byteLength(JSON.stringify(entry))) <= packagesBytesMax);
  return Object.fromEntries(kept);
}

/** NEED-7: what it printed in time; whatever it started and left is ended with it. */
function output(
  interpreter: string,
  own: Readonly<Record<string, string | undefined>>,
  deadlineMs: number,
): Promise<{ readonly text: string; readonly late: boolean }> {
  const base = baseEnvironment(own);
  const isGroup = process.platform !== "win32";
  return new Promise((resolve) => {
    const child = spawn(interpreter, ["-c", script], {
      env: guardedEnvironment({ ...base, ...activation(interpreter, base), PYTHONDONTWRITEBYTECODE: "1" }),
      stdio: ["ignore", "pipe", "ignore"],
      detached: isGroup,
    });
    let text = "";
    const kill = (): void => {
      try {
        if (isGroup && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        else child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    const end = (late: boolean): void => {
      clearTimeout(timer);
      kill();
      child.stdout.destroy();
      resolve({ text, late });
    };
    const timer = setTimeout(() => end(child.exitCode === null), deadlineMs);
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (part: string) => {
      text += part;
      if (text.length > answerBytesMax) end(false);
    });
    child.once("error", () => end(false));
    // What it started would hold its output open.
    child.once("exit", kill);
    child.stdout.once("close", () => end(false));
  });
}
