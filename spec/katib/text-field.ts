/**
 * The fields of an Experiment in which Kubernetes wants text and people leave the quotes out. The text is taken as it is
 * written, not as the number or the truth that Kubernetes would make of it (and then refuse); a note says so.
 */
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import { kindText } from "../yaml/scalar.ts";

const container = String.raw`spec/trialTemplate/trialSpec/.*/containers/\d+`;
const fields = new RegExp(
  `^(?:${[
    String.raw`spec/parameters/\d+/feasibleSpace/(?:min|max|step|list/\d+)`,
    String.raw`spec/(?:algorithm|earlyStopping)/algorithmSettings/\d+/value`,
    String.raw`${container}/(?:command|args)/\d+`,
    String.raw`${container}/env/\d+/value`,
  ].join("|")})$`,
);

export function withWrittenText(given: LocatedYaml): {
  readonly yaml: LocatedYaml;
  readonly notes: readonly Problem[];
} {
  const notes: Problem[] = [];
  const yaml = given.replaced((scalar, path) => {
    if (scalar.kind === "text" || scalar.kind === "null" || !isText(path)) return undefined;
    notes.push({
      line: given.lineOf(path),
      field: path,
      message: `${scalar.source} is ${kindText(scalar)} to Kubernetes, which wants text here; taken as written, but Katib refuses it without quotes`,
    });
    return scalar.source;
  });
  return { yaml, notes };
}

function isText(path: Path): boolean {
  return fields.test(path.join("/"));
}
