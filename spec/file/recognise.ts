/**
 * Whose sweep file a document is, by what only that kind of file has; and which of several documents is meant. What is in
 * the file is read elsewhere.
 */
import { nearestName } from "../../protocol/name.ts";
import { commandFileSchema, sweepFileSchema } from "../sweep/sweep-file-shape.ts";
import { wandbShape } from "../wandb/wandb-shape.ts";
import { kubernetes, ours, pyyaml, type Dialect } from "../yaml/dialect.ts";
import { severalDocuments, type LocatedYaml, type YamlDocument } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";

export type Form = "models" | "command" | "wandb" | "katib";

const formNames: Readonly<Record<Form, string>> = {
  models: "a sweep file that trains models",
  command: "a sweep file that runs a command",
  wandb: "a W&B sweep file",
  katib: "a Katib Experiment",
};

const dialects: Readonly<Record<Form, Dialect>> = {
  models: ours,
  command: ours,
  wandb: pyyaml,
  katib: kubernetes,
};

export type Recognised =
  | {
      readonly ok: true;
      readonly form: Form;
      readonly yaml: LocatedYaml;
      readonly notes: readonly Problem[];
      /** Said where the file is refused: how it was understood at all. */
      readonly why: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function recognise(documents: readonly YamlDocument[]): Recognised {
  const forms = documents.map((document) => formOf(document));
  const experiments = documents.filter((_, index) => forms[index]?.form === "katib");
  const [experiment, second] = experiments;
  if (second !== undefined) {
    const lines = experiments.map(({ line }) => line).join(" and ");
    const message = `the file has ${experiments.length} Experiments, on lines ${lines}, and one is run: give each a file of its own`;
    return refused(second.line, message);
  }
  if (experiment === undefined && documents.length > 1)
    return { ok: false, problems: [severalDocuments(documents)] };
  const chosen = experiment ?? documents[0];
  if (chosen === undefined) return refused(1, "the file is empty; a sweep file begins with its name");
  const found = forms[documents.indexOf(chosen)];
  if (found === undefined || found.form === null) return refused(chosen.line, found?.why ?? "");
  const { form } = found;
  const read = chosen.read(dialects[form]);
  const why = found.why === "" ? [] : [{ line: chosen.line, field: [], message: found.why }];
  if (!read.ok) return { ok: false, problems: [...why, ...read.problems] };
  const notes = documents.length === 1 ? [] : [besides(documents, chosen)];
  return { ok: true, form, yaml: read.yaml, notes, why };
}

function besides(documents: readonly YamlDocument[], chosen: YamlDocument): Problem {
  const message = `the file has ${documents.length} documents; the Experiment is read, and nothing is done with the others`;
  return { line: chosen.line, field: [], message };
}

function refused(line: number, message: string): Recognised {
  return { ok: false, problems: [{ line, field: [], message }] };
}

interface Found {
  readonly form: Form | null;
  /** How it was recognised, where that is not plain; or why it was not. */
  readonly why: string;
}

const wandbKeys = Object.keys(wandbShape.shape);
const ourKeys = [
  ...new Set([...Object.keys(sweepFileSchema.shape), ...Object.keys(commandFileSchema.shape)]),
];
const onlyOurs = ourKeys.filter((key) => !wandbKeys.includes(key));
const onlyWandb = wandbKeys.filter((key) => !ourKeys.includes(key));

/** Without one of these the other keys are anybody's: many files have a name and an environment. */
const ourMarks = ["task", "models", "search", "stopping", "module", "command", "objective", "objectives"];
const wandbMarks = ["method", "parameters", "run_cap", "early_terminate"];

function formOf({ names }: YamlDocument): Found {
  if (names === null) return noForm("");
  const kind = names.get("kind");
  const ofKubeflow = names.get("apiVersion")?.startsWith("kubeflow.org/") === true;
  const of = (keys: readonly string[]) => keys.filter((key) => names.has(key));
  if (kind === "Experiment" || (ofKubeflow && kind === undefined))
    return { form: "katib", why: readAs("katib", of(["apiVersion", "kind"])) };
  if (names.has("apiVersion") && kind !== undefined && !names.has("method"))
    return { form: null, why: `this is a ${kind} of Kubernetes; of its files only an Experiment is a sweep` };
  const [forOurs, forWandb] = [of(onlyOurs), of(onlyWandb)];
  const marked = of([...ourMarks, ...wandbMarks]).length > 0;
  if (!marked) return noForm(nearMiss([...names.keys()]));
  const isWandb =
    forWandb.length === forOurs.length
      ? names.has("method") && !names.has("search")
      : forWandb.length > forOurs.length;
  if (isWandb) return { form: "wandb", why: readAs("wandb", forWandb, forOurs) };
  if (forOurs.length === 0 && !names.has("command"))
    return noForm("parameters alone do not say which it is; ");
  const form =
    names.has("task") || names.has("models") || !of(["command", "module", "parameters"])[0]
      ? "models"
      : "command";
  // What goes wrong in a file of ours needs no such line, unless it is half another's.
  return { form, why: forWandb.length === 0 ? "" : readAs(form, forOurs, forWandb) };
}

function readAs(form: Form, has: readonly string[], others: readonly string[] = []): string {
  const but = others.length === 0 ? "" : `, though ${list(others)} would be another kind's`;
  return `read as ${formNames[form]}, for it has ${list(has)}${but}`;
}

/** Enough to recognise by. */
const listedMax = 4;

function list(keys: readonly string[]): string {
  return `${keys.slice(0, listedMax).join(", ")}${keys.length > listedMax ? " and more" : ""}`;
}

function noForm(hint: string): Found {
  return {
    form: null,
    why: `this is no sweep file of a kind that is known: ${hint}ours has search, with models or a command; W&B's has method; Katib's has kind: Experiment`,
  };
}

function nearMiss(names: readonly string[]): string {
  if (names.includes("sources"))
    return "with sources it is a dataset file, which `trialmesh dataset add` puts on record; ";
  for (const name of names) {
    const mark = nearestName(name, [...ourMarks, ...wandbMarks]);
    if (mark !== null) return `${JSON.stringify(name)} may be meant as ${mark}; `;
  }
  return "";
}
