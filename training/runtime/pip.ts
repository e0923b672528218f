/** Python and its pip as an install uses them: to fetch wheels and to unpack them, never to install any. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { formatMb, interrupted, type InstallContext } from "./install-context.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { runStep, type StepEnd } from "./run-step.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

const askTimeoutMs = 20_000;
const downloadTimeoutMs = 1_800_000;
const progressMs = 3_000;

/** A Python 3 that has pip. */
export async function findPip(context: InstallContext): Promise<Outcome<string>> {
  const named = context.environment["TRIALMESH_PYTHON"];
  const candidates =
    named === undefined || named === "" ? ["python3", "python"] : [named, "python3", "python"];
  let withoutPip: string | null = null;
  for (const candidate of candidates) {
    const python = await runPython(
      context,
      candidate,
      ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"],
      askTimeoutMs,
    );
    if (python.how === "interrupted") return interrupted(context);
    if (python.how !== "done") continue;
    const pip = await runPython(context, candidate, ["-m", "pip", "--version"], askTimeoutMs);
    if (pip.how === "done") return accept(candidate);
    withoutPip ??= candidate;
  }
  return refuse(
    "unavailable",
    withoutPip === null
      ? "no Python 3 on the path to fetch TensorFlow's wheel with; install python3 with pip, or name one with TRIALMESH_PYTHON"
      : `${withoutPip} has no pip to fetch TensorFlow's wheel with; install python3-pip, or name another Python with TRIALMESH_PYTHON`,
  );
}

/** `of`: the Python the wheel is for, where it is not the one that fetches. */
export async function download(
  context: InstallContext,
  python: string,
  requirements: readonly string[],
  of: string | null,
  folder: string,
): Promise<StepEnd> {
  const draft = `${folder}${partSuffix}`;
  rmSync(draft, { recursive: true, force: true });
  // pip writes here first, and it goes with the rest when pip is killed.
  const temporary = join(draft, "tmp");
  makeFolderSync(temporary);
  const ticker = setInterval(() => context.say(`fetching: ${formatMb(sizeOf(draft))} so far`), progressMs);
  const end = await runPython(
    context,
    python,
    [
      ...["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"],
      ...["--disable-pip-version-check", "--progress-bar", "off", "--dest", draft],
      ...(of === null ? [] : ["--python-version", of]),
      ...requirements,
    ],
    downloadTimeoutMs,
    { TMPDIR: temporary, PIP_RETRIES: context.environment["PIP_RETRIES"] ?? "1" },
  );
  clearInterval(ticker);
  if (end.how === "done") {
    rmSync(temporary, { recursive: true, force: true });
    renameSync(draft, folder);
  } else rmSync(draft, { recursive: true, force: true });
  return end;
}

export function runPython(
  context: InstallContext,
  python: string,
  parameters: readonly string[],
  timeoutMs: number,
  more: Readonly<Record<string, string>> = {},
): Promise<StepEnd> {
  return runStep({
    program: python,
    parameters,
    cwd: context.staging,
    env: { ...context.environment, ...more },
    timeoutMs,
    signal: context.signal,
  });
}

export function wheelsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((file) => file.endsWith(".whl"));
}

export function sizeOf(folder: string): number {
  let bytes = 0;
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    bytes += statSync(join(folder, path), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}
/** A network that is not there, as pip tells it. */
export function isUnreachable(out: string): boolean {
  return /NewConnectionError|Max retries exceeded|ConnectTimeout|ProxyError|Temporary failure in name resolution/u.test(
    out,
  );
}
