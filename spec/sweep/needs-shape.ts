/**
 * What a sweep file says that its trials need of a machine. As on the wire, but that `python` takes both what is asked of the
 * interpreter and what must be installed there: a version, or a list of requirements as pip takes them.
 */
import * as z from "zod";
import { pythonRequirements, requirementSchema, type Requirement } from "../../protocol/requirement.ts";
import { readPythonRequirement } from "../../protocol/python-requirement.ts";

const { packages: _, python: version, ...others } = requirementSchema.shape;

export const needsShape = z
  .strictObject({ ...others, python: z.union([version.unwrap(), pythonRequirements]).optional() })
  .transform(({ python, ...rest }): Requirement => {
    if (python === undefined) return rest;
    return typeof python === "string" ? { ...rest, python } : { ...rest, packages: python };
  });

/** As `needsShape` reads it; undefined where nothing is needed. */
export function needsField({ packages, python: version, ...rest }: Requirement): unknown {
  const python = packages ?? version;
  const field = python === undefined ? rest : { ...rest, python };
  return Object.keys(field).length > 0 ? field : undefined;
}

/** What a command that begins with `python` needs by itself. */
export const anyPython = "3";

/** Extras of what is installed nobody can see: one sentence for each requirement that names some. */
export function extrasNotes({ packages = [] }: Requirement): readonly { index: number; message: string }[] {
  return packages.flatMap((text, index) => {
    const read = readPythonRequirement(text);
    if (!read.ok || read.value.extras.length === 0) return [];
    const extras = read.value.extras.join(",");
    const message = `[${extras}] is not asked for: a machine does not say with which extras ${read.value.name} was installed there`;
    return [{ index, message }];
  });
}
