/**
 * What a program needs to be installed in its Python, one requirement a text as pip takes it: a name and conditions on its version.
 * `python` stands for the interpreter itself. Nothing is installed here, and where a distribution comes from is not asked.
 */
import type { Capability } from "./capability.ts";
import { accept, refuse, type Outcome } from "./refusal.ts";
import { admits, readSpecifier, type Specifier } from "./python-specifier.ts";

export interface PythonRequirement {
  /** In its normal form. */
  readonly name: string;
  /** Such as `cuda` of `jax[cuda]`: what is installed does not say with which it was, so they are not asked for. */
  readonly extras: readonly string[];
  readonly specifiers: readonly Specifier[];
  /** As people read it: `torch>=2`. */
  readonly text: string;
}

const namePattern = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?/i;
const interpreterName = "python";

/** NEED-3: one distribution has one name, however it is written (PEP 503). */
export function normalName(name: string): string {
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}

/** NEED-1: a refusal says what is wrong with it and what one looks like. */
export function readPythonRequirement(given: string): Outcome<PythonRequirement> {
  const text = given.trim();
  const name = namePattern.exec(text)?.[0];
  if (name === undefined) return wrong(`"${text}" begins with no package's name`);
  let rest = text.slice(name.length).trim();
  const extras = /^\[([^\]]*)\]/.exec(rest);
  if (extras !== null) rest = rest.slice(extras[0].length).trim();
  const names = (extras?.[1] ?? "").split(",").map((one) => one.trim());
  if (extras?.[1]?.trim() && !names.every((one) => namePattern.exec(one)?.[0] === one))
    return wrong(`"${text}": "${extras[0]}" is no list of extras`);
  if (rest.startsWith("@")) return wrong(`"${text}": where ${name} comes from cannot be asked for`);
  if (rest.includes(";"))
    return wrong(`"${text}": a condition after ; cannot be asked for; give what is needed alone`);
  if (rest.startsWith("(") && rest.endsWith(")")) rest = rest.slice(1, -1).trim();
  const specifiers: Specifier[] = [];
  for (const part of rest === "" ? [] : rest.split(",")) {
    const read = readSpecifier(part);
    if (!read.ok) return wrong(`${name}: ${read.refusal.message}`);
    specifiers.push(read.value);
  }
  const normal = normalName(name);
  return accept({
    name: normal,
    extras: extras === null ? [] : names.filter((one) => one !== ""),
    specifiers,
    text: `${normal}${rest.replaceAll(/\s+/g, "")}`,
  });
}

/** What the machine has in place of it, such as `pandas 1.5.3`; null where it has what is needed. */
export function hasInstead(
  { name, specifiers }: PythonRequirement,
  { packages, python }: Pick<Capability, "packages" | "python">,
): string | null {
  if (name === interpreterName) return judged("Python", python, specifiers);
  if (python === null) return "no Python";
  if (packages === undefined) return "a Python of which nobody knows what is installed";
  return judged(name, Object.hasOwn(packages, name) ? (packages[name] ?? null) : null, specifiers);
}

function judged(name: string, version: string | null, specifiers: readonly Specifier[]): string | null {
  if (version === null) return `no ${name}`;
  return specifiers.every((specifier) => admits(specifier, version)) ? null : `${name} ${version}`;
}

function wrong(message: string): Outcome<never> {
  return refuse(
    "invalid",
    `${message}; a requirement looks like "torch>=2", "numpy==1.*" or "scikit-learn>=1.2,<2"`,
  );
}
