/**
 * A Katib Experiment as a command sweep of ours, unmodified: its Job's command runs on machines instead of in pods.
 * What is understood differently is a note, what needs a cluster is refused by name.
 */
import type { Distribution, Space } from "../../protocol/space.ts";
import { usualTerms, type CommandObjective, type CommandSweep } from "../sweep/command-sweep.ts";
import { parseAt } from "../yaml/explain-issue.ts";
import type { LocatedYaml } from "../yaml/located-yaml.ts";
import { checkFormats } from "../sweep/check-formats.ts";
import { gridFault } from "../sweep/read-distribution.ts";
import {
  noteAt,
  refuseAt,
  slug,
  trialsWithoutLimit,
  type ImportReading,
  type ImportResult,
} from "../import/import-reading.ts";
import { checkExperiment } from "./check-experiment.ts";
import { readAlgorithm, type ReadAlgorithm } from "./read-algorithm.ts";
import { readParameter } from "./read-katib-parameter.ts";
import { readTemplate } from "./read-template.ts";
import { withWrittenText } from "./text-field.ts";
import { katibShape, type KatibSpec } from "./katib-shape.ts";

const apiVersion = "kubeflow.org/v1beta1";

/** What Katib's collector looks for on standard output. */
const usualFormat = String.raw`([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)`;

export function readKatib(given: LocatedYaml): ImportResult {
  const { notes, yaml } = withWrittenText(given);
  const reading: ImportReading = { yaml, problems: [], notes: [...yaml.notes, ...notes] };
  const file = parseAt(katibShape, yaml.value, yaml, [], reading.problems);
  if (file === null) return { ok: false, problems: reading.problems };
  if (file.apiVersion !== apiVersion)
    refuseAt(reading, ["apiVersion"], `should be ${apiVersion}, not ${file.apiVersion}`);
  const { spec } = file;
  const name = slug(file.metadata?.name ?? file.metadata?.generateName ?? "", "katib-experiment");
  checkExperiment(reading, spec);
  const algorithm = readAlgorithm(reading, spec);
  const space = readParameters(reading, spec, algorithm);
  const template = readTemplate(reading, file, name, space);
  const metricFormat = readCollector(reading, spec);
  const objective = readObjective(reading, spec);
  const trials = spec.maxTrialCount ?? trialsWithoutLimit;
  if (spec.maxTrialCount === undefined) {
    noteAt(
      reading,
      ["spec"],
      `no maxTrialCount: Katib goes on until the goal, here ${trialsWithoutLimit} trials are run (--trials says otherwise)`,
    );
  } else noteAt(reading, ["spec", "maxTrialCount"], `maxTrialCount ${trials} → trials: ${trials}`);
  if (spec.resumePolicy !== undefined)
    noteAt(reading, ["spec", "resumePolicy"], `resumePolicy ${spec.resumePolicy} ignored`);
  if (algorithm === null || template === null || reading.problems.length > 0)
    return { ok: false, problems: reading.problems };
  const sweep: CommandSweep = {
    name,
    command: template.command,
    program: null,
    reads: "words",
    environment: template.environment,
    objectives: [objective],
    search: { method: algorithm.method, trials, seed: algorithm.seed },
    stopping: algorithm.stopping,
    space,
    where: [],
    nested: [],
    paths: {},
    spelling: {},
    metricFormat,
    parallel: spec.parallelTrialCount,
    failuresMax: spec.maxFailedTrialCount ?? null,
    module: null,
    dataset: null,
    onMesh: usualTerms,
  };
  return { ok: true, sweep, notes: reading.notes };
}

function readParameters(reading: ImportReading, spec: KatibSpec, algorithm: ReadAlgorithm | null): Space {
  const space = new Map<string, Distribution>();
  if (spec.parameters === undefined) {
    if (spec.nasConfig === undefined) refuseAt(reading, ["spec", "parameters"], "is missing");
    return {};
  }
  for (const [index, parameter] of spec.parameters.entries()) {
    const field = ["spec", "parameters", index];
    if (space.has(parameter.name))
      refuseAt(reading, [...field, "name"], `"${parameter.name}" is a parameter already`);
    const { resource = null } = algorithm ?? {};
    const distribution =
      resource?.parameter === parameter.name
        ? ({ distribution: "constant", value: resource.value } as const)
        : readParameter(reading, field, parameter, spec.algorithm.algorithmName);
    if (distribution === null) continue;
    const fault = gridFault(algorithm?.method ?? null, distribution);
    if (fault !== null) refuseAt(reading, [...field, "feasibleSpace"], fault);
    space.set(parameter.name, distribution);
  }
  return Object.fromEntries(space);
}

/** Katib keeps a trial's best value unless a strategy says otherwise. */
function readObjective(reading: ImportReading, { objective }: KatibSpec): CommandObjective {
  const { additionalMetricNames: others, metricStrategies, objectiveMetricName: metric, type } = objective;
  const strategy = metricStrategies.find(({ name }) => name === metric)?.value;
  const usual = type === "maximize" ? "max" : "min";
  const keep = strategy === undefined ? usual : strategy === "latest" ? "last" : strategy;
  if (keep !== "last")
    noteAt(
      reading,
      ["spec", "objective", strategy === undefined ? "objectiveMetricName" : "metricStrategies"],
      `a trial's result is the ${keep}imum of what it reports of ${metric}${strategy === undefined ? ", Katib's default" : ""}`,
    );
  if (others.length > 0)
    noteAt(
      reading,
      ["spec", "objective", "additionalMetricNames"],
      `${others.join(", ")}: shown beside the result and not optimised`,
    );
  return { metric, goal: type, keep };
}

function readCollector(
  reading: ImportReading,
  { metricsCollectorSpec: collector }: KatibSpec,
): readonly string[] {
  const base = ["spec", "metricsCollectorSpec"];
  const kind = collector?.collector?.kind ?? "StdOut";
  if (kind !== "StdOut") {
    refuseAt(
      reading,
      [...base, "collector", "kind"],
      `metrics are read from standard output (StdOut) only, not by ${kind}; print them as name=value`,
    );
  }
  const formats = collector?.source?.filter?.metricsFormat;
  if (formats === undefined) return [usualFormat];
  checkFormats(reading, formats, [...base, "source", "filter", "metricsFormat"]);
  return formats;
}
