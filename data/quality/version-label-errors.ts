/** The label errors of a dataset version, by its file. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { findLabelErrors, type LabelErrorOptions, type LabelErrors } from "./find-label-errors.ts";
import { labelledRows, withRawVersion, type RawOptions } from "./raw-version.ts";

export async function versionLabelErrors(
  path: string,
  options: RawOptions & LabelErrorOptions,
): Promise<Outcome<LabelErrors>> {
  return withRawVersion(path, options, async (version) => {
    if (version.text === null) {
      const { name } = version.manifest;
      return refuse("invalid", `${name} is a table; label errors are looked for in texts only`);
    }
    return accept(findLabelErrors(await labelledRows(version), version.manifest.labels ?? [], options));
  });
}
