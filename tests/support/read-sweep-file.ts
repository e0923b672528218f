/** A sweep file's text read as one, whatever other kind of file it might be. */
import {
  readSweepYaml,
  type SweepFileInput,
  type SweepFileResult,
} from "../../spec/sweep/read-sweep-file.ts";
import { parseYaml } from "../../spec/yaml/located-yaml.ts";

export function readSweepFile(input: SweepFileInput): SweepFileResult {
  const parsed = parseYaml(input.text);
  return parsed.ok ? readSweepYaml(input, parsed.yaml) : parsed;
}
