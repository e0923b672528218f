/** Whether this machine's own Python has what a file needs, before anything of it runs here. Other needs are a mesh's to place by. */
import { askPython } from "../../agent/program/ask-python.ts";
import { hasInstead, readPythonRequirement } from "../../protocol/python-requirement.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Requirement } from "../../protocol/requirement.ts";

export async function checkOwnPython(
  file: string,
  { packages = [], python: version }: Requirement,
  interpreter: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Outcome<null>> {
  const wanted = [...(version === undefined ? [] : [`python>=${version}`]), ...packages];
  if (wanted.length === 0) return accept(null);
  const { facts, late } = await askPython(interpreter, environment);
  if (late) return refuse("unavailable", `${interpreter} did not say in time what it has installed`);
  const lacks: string[] = [];
  const missing: string[] = [];
  for (const text of wanted) {
    const read = readPythonRequirement(text);
    if (!read.ok) return read;
    const has = hasInstead(read.value, facts);
    if (has === null) continue;
    lacks.push(`it needs ${read.value.text}, and this machine has ${has}`);
    if (read.value.name !== "python") missing.push(`"${text}"`);
  }
  if (lacks.length === 0) return accept(null);
  const advice =
    missing.length === 0 || facts.python === null
      ? "name another Python with TRIALMESH_PYTHON"
      : `\`${interpreter} -m pip install ${missing.join(" ")}\` adds it, or name another Python with TRIALMESH_PYTHON`;
  return refuse("no-agent-fits", `${file}: field needs.python: ${lacks.join("; ")}; ${advice}`);
}
