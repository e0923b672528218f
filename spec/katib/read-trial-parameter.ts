/**
 * What `${trialParameters.NAME}` stands for in a Katib trial template, held to what Katib's own webhook and its generator ask
 * of trialParameters. Where in a template a program is, is not said here.
 */
import { suggestion } from "../../protocol/name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import type { KatibMetadata, KatibSpec } from "./katib-shape.ts";

export interface TrialParameters {
  /** A text of the template with macros of ours in it. */
  replaced(text: string): string;
  /** Tells each whose values differ and that none of these texts names: its values would reach no program. */
  tellUnreached(texts: readonly string[], space: Space): void;
}

interface Experiment {
  readonly spec: KatibSpec;
  readonly metadata: KatibMetadata | undefined;
  /** Its name here, of which each trial's is made. */
  readonly name: string;
}

const base = ["spec", "trialTemplate"] as const;
const listAt: Path = [...base, "trialParameters"];
const macro = /\$\{trialParameters\.([^\n]+?)\}/g;
const fact = /^\$\{trialSpec\.(.+)\}$/;

export function readTrialParameters(reading: ImportReading, experiment: Experiment): TrialParameters {
  const { spec } = experiment;
  const given = spec.trialTemplate.trialParameters;
  const names = (spec.parameters ?? []).map(({ name }) => name);
  if (given === undefined)
    refuseAt(
      reading,
      listAt,
      "is missing: Katib asks for it, and no trial would get a parameter without; give each as {name: lr, reference: lr}",
    );
  const before = reading.problems.length;
  const stands = standsFor(reading, experiment, names);
  const texts = textsOf(spec.trialTemplate.trialSpec, [...base, "trialSpec"]);
  const named = new Set(texts.flatMap(({ text }) => namesIn(text)));
  if (given !== undefined) tellUnknown(reading, texts, stands);
  // Where a name or a reference is wrong, what it was meant for is missed only for that.
  if (reading.problems.length === before) tellUnused(reading, spec, named);
  return {
    replaced: (text) => text.replaceAll(macro, (whole, name: string) => stands.get(name) ?? whole),
    tellUnreached(reached, space) {
      const there = new Set(reached.flatMap(namesIn));
      for (const [index, { name, reference }] of (given ?? []).entries())
        if (named.has(name) && !there.has(name))
          tellUnreached(reading, [...listAt, index, "name"], name, space[reference]);
    },
  };
}

function tellUnknown(
  reading: ImportReading,
  texts: readonly Place[],
  stands: ReadonlyMap<string, string>,
): void {
  for (const { path, text } of texts)
    for (const name of namesIn(text))
      if (!stands.has(name))
        refuseAt(
          reading,
          path,
          `\${trialParameters.${name}} names no trial parameter, ${suggestion(name, stands.keys())}`,
        );
}

/** Katib's webhook refuses the first, and each trial fails for the second. */
function tellUnused(reading: ImportReading, spec: KatibSpec, named: ReadonlySet<string>): void {
  const { trialParameters = [] } = spec.trialTemplate;
  for (const [index, { name }] of trialParameters.entries())
    if (!named.has(name))
      refuseAt(
        reading,
        [...listAt, index, "name"],
        `\${trialParameters.${name}} stands nowhere in the template, so every trial would run the same command; Katib refuses it too`,
      );
  const used = new Set(trialParameters.map(({ reference }) => reference));
  for (const [index, { name }] of (spec.parameters ?? []).entries())
    if (!used.has(name) && spec.trialTemplate.trialParameters !== undefined)
      refuseAt(
        reading,
        ["spec", "parameters", index, "name"],
        `"${name}" is no reference of any trialParameters, so no trial would get it; Katib fails every trial of it`,
      );
}

/** By name; a bad one is reported here, once, and not again where it is used. */
function standsFor(
  reading: ImportReading,
  experiment: Experiment,
  names: readonly string[],
): ReadonlyMap<string, string> {
  const stands = new Map<string, string>();
  const references = new Set<string>();
  for (const [index, { name, reference }] of (
    experiment.spec.trialTemplate.trialParameters ?? []
  ).entries()) {
    const at = [...listAt, index];
    if (!isPlain(name))
      refuseAt(reading, [...at, "name"], `"${name}" has a brace in it, which Katib refuses`);
    if (stands.has(name)) refuseAt(reading, [...at, "name"], `two trialParameters are called "${name}"`);
    else if (references.has(reference))
      refuseAt(
        reading,
        [...at, "reference"],
        `two trialParameters refer to "${reference}"; one may stand in the template as often as it is needed`,
      );
    references.add(reference);
    const key = fact.exec(reference)?.[1];
    const meant = key === undefined ? null : factOf(reading, [...at, "reference"], experiment, key);
    if (meant === null && !names.includes(reference))
      refuseAt(
        reading,
        [...at, "reference"],
        `no parameter is called "${reference}", ${suggestion(reference, names)}`,
      );
    stands.set(name, meant ?? `\${parameter:${reference}}`);
  }
  return stands;
}

/** What Katib knows of a trial beside its parameters; null where it is no such fact. Empty where a refusal was told. */
function factOf(
  reading: ImportReading,
  at: Path,
  { metadata, name, spec }: Experiment,
  key: string,
): string | null {
  const job = entriesOf(spec.trialTemplate.trialSpec);
  const refused = (message: string) => {
    refuseAt(reading, at, message);
    return "";
  };
  const text = (value: unknown, what: string) =>
    typeof value === "string" ? value : refused(`the template has no ${what}`);
  const [, list, entry] = /^(Labels|Annotations)\[(.+)\]$/.exec(key) ?? [];
  if (list !== undefined && entry !== undefined) {
    const kind = list.toLowerCase();
    return text(
      entriesOf(entriesOf(job.get("metadata")).get(kind)).get(entry),
      `metadata.${kind} "${entry}"`,
    );
  }
  switch (key) {
    case "Name":
      return `${name}-\${trial}`;
    case "Kind":
      return text(job.get("kind"), "kind");
    case "APIVersion":
      return text(job.get("apiVersion"), "apiVersion");
    case "Namespace":
      return (
        metadata?.namespace ?? refused("metadata names no namespace, and here is no cluster that has one")
      );
    default:
      return null;
  }
}

function tellUnreached(
  reading: ImportReading,
  at: Path,
  name: string,
  distribution: Distribution | undefined,
): void {
  const where = `\${trialParameters.${name}} stands in the template only outside of the primary container's command, args and env, which is all that is run here`;
  if (distribution === undefined || distribution.distribution === "constant")
    noteAt(reading, at, `${where}: ignored`);
  else refuseAt(reading, at, `${where}: its values would reach no program`);
}

function isPlain(name: string): boolean {
  return !/[{}]/.test(name);
}

function namesIn(text: string): string[] {
  return [...text.matchAll(macro)].map(([, name = ""]) => name);
}

interface Place {
  readonly path: Path;
  readonly text: string;
}

/** Every text in a value, keys too. */
function textsOf(value: unknown, path: Path): Place[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    return [...(Array.isArray(value) ? [] : [{ path: at, text: key }]), ...textsOf(inner, at)];
  });
}
