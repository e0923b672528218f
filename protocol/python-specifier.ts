/**
 * One condition on a version, such as `>=2` or `==1.*`, as the version specifiers specification (once PEP 440) means it. Of what is
 * installed a pre-release counts like any other version, as it does for pip: only a choice among several would leave it out.
 */
import { accept, refuse, type Outcome } from "./refusal.ts";
import {
  baseOf,
  comparePythonVersions,
  isPrerelease,
  pythonVersionText,
  readPythonVersion,
  withoutLocal,
  type PythonVersion,
} from "./python-version.ts";

type Operator = "~=" | "==" | "!=" | "<=" | ">=" | "<" | ">";

export type Specifier =
  | { readonly operator: Operator; readonly version: PythonVersion; readonly wildcard: boolean }
  /** The very same text. */
  | { readonly operator: "==="; readonly text: string };

const operators: readonly Operator[] = ["~=", "==", "!=", "<=", ">=", "<", ">"];

export function readSpecifier(given: string): Outcome<Specifier> {
  const text = given.trim();
  if (text.startsWith("===")) {
    const exact = text.slice(3).trim();
    return exact === "" || /[\s;)]/.test(exact)
      ? wrong(`"${text}" names no version`)
      : accept({ operator: "===", text: exact });
  }
  const operator = operators.find((one) => text.startsWith(one));
  if (operator === undefined) return wrong(noOperator(text));
  const rest = text.slice(operator.length).trim();
  const wildcard = rest.endsWith(".*");
  if (wildcard && operator !== "==" && operator !== "!=")
    return wrong(`"${text}": .* goes with == and != only`);
  const version = readPythonVersion(wildcard ? rest.slice(0, -2) : rest);
  if (version === null)
    return wrong(`"${text}": ${rest === "" ? "no version stands there" : `"${rest}" is no version`}`);
  const isPlain = comparePythonVersions(version, baseOf(version)) === 0 && version.local.length === 0;
  if (wildcard && (!isPlain || version.post !== null || isPrerelease(version)))
    return wrong(`"${text}": .* stands after numbers only, as in ==1.2.*`);
  if (version.local.length > 0 && operator !== "==" && operator !== "!=")
    return wrong(`"${text}": a local version such as +${version.local.join(".")} goes with == and != only`);
  if (operator === "~=" && version.release.length < 2)
    return wrong(`"${text}": ~= needs a version of two numbers at least, as in ~=2.0`);
  return accept({ operator, version, wildcard });
}

/** NEED-2: does what is installed meet it? `installed` is as its metadata say; one that is no version meets only its own text. */
export function admits(specifier: Specifier, installed: string): boolean {
  const version = readPythonVersion(installed);
  if (specifier.operator === "===") {
    const own = version === null ? installed : pythonVersionText(version);
    return own.toLowerCase() === specifier.text.toLowerCase();
  }
  return version !== null && admitsVersion(specifier, version);
}

function admitsVersion(
  { operator, version: wanted, wildcard }: Exclude<Specifier, { operator: "===" }>,
  has: PythonVersion,
): boolean {
  const order = comparePythonVersions(withoutLocal(has), wanted);
  switch (operator) {
    case "==":
      return isEqual(has, wanted, wildcard);
    case "!=":
      return !isEqual(has, wanted, wildcard);
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "~=":
      return order >= 0 && startsWith(has, { ...wanted, release: wanted.release.slice(0, -1) });
    case "<":
      // A pre-release of the very version that must not be reached is not meant.
      return (
        comparePythonVersions(has, wanted) < 0 &&
        (isPrerelease(wanted) || !isPrerelease(has) || !hasSameBase(has, wanted))
      );
    case ">":
      return (
        comparePythonVersions(has, wanted) > 0 &&
        (((wanted.post !== null || has.post === null) && has.local.length === 0) || !hasSameBase(has, wanted))
      );
  }
}

function isEqual(has: PythonVersion, wanted: PythonVersion, wildcard: boolean): boolean {
  if (wildcard) return startsWith(has, wanted);
  return comparePythonVersions(wanted.local.length > 0 ? has : withoutLocal(has), wanted) === 0;
}

/** Its release begins so; a number that is not written is 0. */
function startsWith({ epoch, release }: PythonVersion, wanted: PythonVersion): boolean {
  return epoch === wanted.epoch && wanted.release.every((part, index) => (release[index] ?? 0n) === part);
}

function hasSameBase(a: PythonVersion, b: PythonVersion): boolean {
  return comparePythonVersions(baseOf(a), baseOf(b)) === 0;
}

function noOperator(text: string): string {
  if (/^=[^=]/.test(text)) return `"${text}": a version is compared with two equal signs, as in =${text}`;
  if (readPythonVersion(text) !== null)
    return `"${text}" does not say how versions compare with it: >=${text} or ==${text}`;
  return `"${text}" is no condition on a version`;
}

function wrong(message: string): Outcome<never> {
  return refuse("invalid", message);
}
