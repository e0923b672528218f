/**
 * The command in a Katib trial template: the primary container's `command` and `args`, with trial parameters turned into
 * macros of ours. Everything else a pod can be asked for is reported or refused.
 */
import * as z from "zod";
import { anyValue, longText, listOf } from "../../protocol/bound.ts";
import { suggestion } from "../../protocol/name.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import type { KatibSpec, KatibTemplate } from "./katib-shape.ts";

export interface ReadTemplate {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const words = listOf(longText);

const containerShape = z.looseObject({
  name: longText.optional(),
  image: longText.optional(),
  command: words.default([]),
  args: words.default([]),
  env: listOf(
    z.looseObject({ name: longText, value: anyValue.optional(), valueFrom: anyValue.optional() }),
  ).default([]),
});

const base = ["spec", "trialTemplate"] as const;
const specAt: Path = [...base, "trialSpec"];

export function readTemplate(
  reading: ImportReading,
  spec: KatibSpec,
  experiment: string,
): ReadTemplate | null {
  const template = spec.trialTemplate;
  if (template.configMap !== undefined) {
    refuseAt(
      reading,
      [...base, "configMap"],
      "templates in a config map lie in a cluster; put the template under trialSpec",
    );
    return null;
  }
  if (template.trialSpec === undefined) {
    refuseAt(reading, base, "has no trialSpec, and with it no command");
    return null;
  }
  const kind = entriesOf(template.trialSpec).get("kind");
  if (kind !== "Job") {
    refuseAt(
      reading,
      [...specAt, "kind"],
      `trials of kind ${typeof kind === "string" ? kind : describe(kind)} need a cluster's operator; only a Job's container is run here, as a command`,
    );
    return null;
  }
  const at = containerAt(reading, template);
  if (at === null) return null;
  const container = parseAt(containerShape, at.value, reading.yaml, at.path, reading.problems);
  if (container === null) return null;
  if (container.command.length === 0) {
    refuseAt(
      reading,
      at.path,
      "has no command; an image's own entry point is not known here, so name the program under command",
    );
    return null;
  }
  const references = referencesOf(reading, spec, experiment);
  const replace = (word: string, path: Path) => replaced(reading, references, word, path);
  const command = [
    ...container.command.map((word, index) => replace(word, [...at.path, "command", index])),
    ...container.args.map((word, index) => replace(word, [...at.path, "args", index])),
  ];
  const environment = new Map<string, string>();
  for (const [index, { name, value, valueFrom }] of container.env.entries()) {
    const path = [...at.path, "env", index];
    // A variable of which nothing more is said is empty.
    if (typeof value === "string") environment.set(name, value);
    else if ((value ?? null) === null && valueFrom === undefined) environment.set(name, "");
    else
      refuseAt(reading, path, `${name} takes its value from the cluster, which is not there; give a value`);
  }
  if (container.image !== undefined)
    noteAt(
      reading,
      [...at.path, "image"],
      `image ${container.image} ignored: the command runs on this machine, where its programs and files must be`,
    );
  const ignored = Object.keys(at.value).filter(
    (key) => !["name", "image", "command", "args", "env"].includes(key),
  );
  const [first] = ignored;
  if (first !== undefined)
    noteAt(reading, [...at.path, first], `${ignored.join(", ")} of the container ignored`);
  return { command, environment: Object.fromEntries(environment) };
}

function containerAt(
  reading: ImportReading,
  template: KatibTemplate,
): { readonly path: Path; readonly value: object } | null {
  const path = [...specAt, "spec", "template", "spec", "containers"];
  let found: unknown = template.trialSpec;
  for (const key of ["spec", "template", "spec", "containers"]) found = entriesOf(found).get(key);
  const containers: readonly unknown[] = Array.isArray(found) ? found : [];
  const names = containers.map((container) => String(entriesOf(container).get("name")));
  const wanted = template.primaryContainerName;
  const index = wanted === undefined ? (containers.length === 1 ? 0 : -1) : names.indexOf(wanted);
  const value = containers[index];
  if (value !== null && typeof value === "object") return { path: [...path, index], value };
  refuseAt(
    reading,
    wanted === undefined ? path : [...base, "primaryContainerName"],
    wanted === undefined
      ? `has ${containers.length} containers, and primaryContainerName does not say which one is meant`
      : `no container is called "${wanted}", ${suggestion(wanted, names)}`,
  );
  return null;
}

/** What `${trialParameters.NAME}` stands for: a parameter of the search, or a fact about the trial. */
function referencesOf(
  reading: ImportReading,
  spec: KatibSpec,
  experiment: string,
): ReadonlyMap<string, string> {
  const parameters = (spec.parameters ?? []).map(({ name }) => name);
  const references = new Map<string, string>();
  for (const [index, { name, reference }] of spec.trialTemplate.trialParameters.entries()) {
    const at = [...base, "trialParameters", index, "reference"];
    const fact = /^\$\{trialSpec\.(.+)\}$/.exec(reference)?.[1];
    // A bad reference is reported here, once, and not again where it is used.
    references.set(name, "");
    if (fact === "Name") references.set(name, `${experiment}-\${trial}`);
    else if (fact !== undefined)
      refuseAt(
        reading,
        at,
        `${reference} is a fact about a cluster's trial; only \${trialSpec.Name} is known here`,
      );
    else if (parameters.includes(reference)) references.set(name, `\${parameter:${reference}}`);
    else refuseAt(reading, at, `no parameter is called "${reference}", ${suggestion(reference, parameters)}`);
  }
  return references;
}

function replaced(
  reading: ImportReading,
  references: ReadonlyMap<string, string>,
  word: string,
  path: Path,
): string {
  return word.replaceAll(/\$\{trialParameters\.([^}]+)\}/g, (whole, name: string) => {
    const found = references.get(name);
    if (found !== undefined) return found;
    refuseAt(reading, path, `${whole} names no trial parameter, ${suggestion(name, references.keys())}`);
    return whole;
  });
}
