/**
 * The command in a Katib trial template: the primary container's `command`, `args` and `env`, with trial parameters turned
 * into macros of ours. Everything else a pod can be asked for is reported or refused.
 */
import * as z from "zod";
import { anyValue, longText, listOf } from "../../protocol/bound.ts";
import { isMacro, macroPattern } from "../../protocol/command-macro.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Space } from "../../protocol/space.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import { expandedVariables, withVariables } from "./container-variable.ts";
import type { KatibFile, KatibTemplate } from "./katib-shape.ts";
import { readTrialParameters } from "./read-trial-parameter.ts";

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

/** `name`: what the experiment is called here. */
export function readTemplate(
  reading: ImportReading,
  { metadata, spec }: KatibFile,
  name: string,
  space: Space,
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
  const parameters = readTrialParameters(reading, { spec, metadata, name });
  const environment = readEnvironment(reading, container.env, [...at.path, "env"]);
  const words = [...container.command, ...container.args];
  for (const [index, word] of words.entries()) {
    const isArgument = index >= container.command.length;
    const place = isArgument ? ["args", index - container.command.length] : ["command", index];
    tellMacros(reading, [...at.path, ...place], word);
  }
  parameters.tellUnreached([...words, ...environment.map(([, value]) => value)], space);
  sayIgnored(reading, at, container.image);
  const variables = expandedVariables(
    environment.map(([variable, value]) => [variable, parameters.replaced(value)]),
  );
  return {
    command: words.map((word) => withVariables(parameters.replaced(word), variables)),
    environment: Object.fromEntries(variables),
  };
}

type Container = z.infer<typeof containerShape>;

function readEnvironment(reading: ImportReading, env: Container["env"], at: Path): [string, string][] {
  return env.flatMap(({ name, value, valueFrom }, index): [string, string][] => {
    if (typeof value === "string") return [[name, value]];
    // A variable of which nothing more is said is empty.
    if ((value ?? null) === null && valueFrom === undefined) return [[name, ""]];
    refuseAt(
      reading,
      [...at, index],
      `${name} takes its value from the cluster, which is not there; give a value`,
    );
    return [];
  });
}

/** A shell's own ${NAME} stays what it is, but not where a macro of ours has that name. */
function tellMacros(reading: ImportReading, path: Path, word: string): void {
  for (const [whole, name = ""] of word.matchAll(macroPattern))
    if (isMacro(name))
      refuseAt(
        reading,
        path,
        `${whole} has a meaning of its own here; a shell's variable of that name can be written $${name}`,
      );
}

function sayIgnored(
  reading: ImportReading,
  at: { readonly path: Path; readonly value: object },
  image: string | undefined,
): void {
  if (image !== undefined)
    noteAt(
      reading,
      [...at.path, "image"],
      `image ${image} ignored: the command runs on this machine, where its programs and files must be`,
    );
  const ignored = Object.keys(at.value).filter(
    (key) => !["name", "image", "command", "args", "env"].includes(key),
  );
  const [first] = ignored;
  if (first !== undefined)
    noteAt(reading, [...at.path, first], `${ignored.join(", ")} of the container ignored`);
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
