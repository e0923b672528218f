/**
 * The two places of a W&B file where a scalar is taken for another kind than PyYAML's: a word of the command is what Python's
 * `str` writes, and a bound that is text to PyYAML and a number to anyone else is meant as that number.
 */
import { pythonText } from "../../protocol/python-text.ts";
import { coreScalar } from "../yaml/core-scalar.ts";
import { exactJson } from "../yaml/exact-json.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import type { Scalar } from "../yaml/scalar.ts";

const bounds = ["min", "max", "q", "mu", "sigma", "a", "b"];

/** The file with both put right, and what is to be said of it. */
export function withMeantScalars(given: LocatedYaml): {
  readonly yaml: LocatedYaml;
  readonly notes: readonly Problem[];
} {
  const notes: Problem[] = [];
  const yaml = given.replaced((scalar, path) => {
    if (path[0] === "command" && path.length === 2) return wordOf(scalar);
    if (!isBound(path)) return undefined;
    const number = meantNumber(scalar);
    if (number === null) return undefined;
    notes.push({
      line: given.lineOf(path),
      field: path,
      message: `${scalar.source} is text to PyYAML, which wants a dot and a sign in it, as in 1.0e-5; taken as the number ${number}`,
    });
    return number;
  });
  return { yaml, notes };
}

function wordOf(scalar: Scalar): string | undefined {
  return scalar.kind === "null" ? undefined : pythonText(exactJson({ kind: "scalar", line: 1, scalar }));
}

/** Of a parameter itself, however deep it lies, and not of a mapping among its values. */
function isBound(path: Path): boolean {
  if (path.length === 2 && path[0] === "metric") return path[1] === "target";
  const shares = path.at(-2) === "probabilities" && typeof path.at(-1) === "number";
  const parameter = path.slice(0, shares ? -2 : -1);
  if (!shares && !bounds.some((bound) => bound === path.at(-1))) return false;
  return (
    parameter.length > 1 &&
    parameter.length % 2 === 0 &&
    parameter.every((part, index) => index % 2 === 1 || part === "parameters")
  );
}

function meantNumber({ kind, plain, source }: Scalar): number | null {
  if (kind !== "text" || !plain) return null;
  const meant = coreScalar(source);
  const number = meant.kind === "float" || meant.kind === "int" ? meant.value : null;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}
