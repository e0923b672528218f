/** Katib's algorithm and its settings as a method, a seed and a stopping policy of ours. */
import type { Stopping } from "../../protocol/stopping.ts";
import { suggestion } from "../../protocol/name.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { CommandSweep } from "../sweep/command-sweep.ts";
import { ownLength } from "../sweep/command-sweep.ts";
import { importSeed, noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import type { KatibAlgorithm, KatibSpec } from "./katib-shape.ts";

type Method = CommandSweep["search"]["method"];

export interface ReadAlgorithm {
  readonly method: Method;
  readonly seed: number;
  readonly stopping: Stopping;
  /** The parameter that counts the resource, which is then no longer searched, and its value. */
  readonly resource: { readonly parameter: string; readonly value: number } | null;
}

const methods: Readonly<Record<Exclude<KatibAlgorithm, "enas" | "darts">, Method>> = {
  random: "random",
  grid: "grid",
  tpe: "tpe",
  "multivariate-tpe": "tpe",
  bayesianoptimization: "gp",
  cmaes: "cma-es",
  sobol: "sobol",
  hyperband: "random",
  pbt: "pbt",
};

/** Every setting Katib documents, by algorithm; which of them mean something here is said below. */
const settings: Readonly<Record<KatibAlgorithm, readonly string[]>> = {
  random: ["random_state"],
  grid: ["random_state"],
  tpe: ["n_EI_candidates", "random_state", "gamma", "prior_weight", "n_startup_trials", "n_ei_candidates"],
  "multivariate-tpe": ["n_ei_candidates", "random_state", "n_startup_trials"],
  bayesianoptimization: ["base_estimator", "n_initial_points", "acq_func", "acq_optimizer", "random_state"],
  cmaes: ["random_state", "sigma", "restart_strategy"],
  sobol: [],
  hyperband: ["r_l", "eta", "resource_name"],
  pbt: ["suggestion_trial_dir", "n_population", "truncation_threshold", "resample_probability"],
  enas: [],
  darts: [],
};

const field = ["spec", "algorithm"] as const;

export function readAlgorithm(reading: ImportReading, spec: KatibSpec): ReadAlgorithm | null {
  const { algorithmName: name } = spec.algorithm;
  if (spec.nasConfig !== undefined)
    refuseAt(reading, ["spec", "nasConfig"], "neural architecture search (nasConfig) is not done here");
  if (name === "enas" || name === "darts") {
    refuseAt(
      reading,
      [...field, "algorithmName"],
      `${name} searches architectures with a model of its own in Katib's service, which is not done here; use random, tpe or bayesianoptimization over parameters`,
    );
    return null;
  }
  const given = readSettings(reading, spec);
  const method = methods[name];
  if (method !== name)
    noteAt(
      reading,
      [...field, "algorithmName"],
      `algorithm ${name} → ${method}${name === "hyperband" ? " under hyperband" : ""}`,
    );
  if (name === "pbt")
    noteAt(
      reading,
      [...field, "algorithmName"],
      "pbt: parameters are perturbed as in Katib; a command gets no checkpoint of its parent, so each trial starts anew",
    );
  const state = given.get("random_state");
  const seed = state === undefined ? importSeed : wholeNumber(reading, spec, "random_state", state, 0);
  const until = spec.objective.goal === undefined ? {} : { target: spec.objective.goal };
  if (spec.objective.goal !== undefined)
    noteAt(
      reading,
      ["spec", "objective", "goal"],
      `goal ${spec.objective.goal} → the sweep ends once a trial reaches it`,
    );
  const basis = { method, seed: seed ?? importSeed };
  if (name === "hyperband") return { ...basis, ...readHyperband(reading, spec, given, until) };
  return { ...basis, stopping: readMedian(reading, spec) ?? { ...ownLength, ...until }, resource: null };
}

function readSettings(reading: ImportReading, spec: KatibSpec): ReadonlyMap<string, string> {
  const { algorithmName, algorithmSettings } = spec.algorithm;
  const known = settings[algorithmName];
  const used = ["random_state", "r_l", "eta", "resource_name"];
  for (const [index, { name }] of algorithmSettings.entries()) {
    const at = [...field, "algorithmSettings", index];
    if (!known.includes(name))
      refuseAt(reading, at, `${algorithmName} has no setting "${name}", ${suggestion(name, known)}`);
    else if (!used.includes(name)) noteAt(reading, at, `setting ${name} ignored: the method has its own`);
  }
  return new Map(algorithmSettings.map(({ name, value }) => [name, value]));
}

function readHyperband(
  reading: ImportReading,
  spec: KatibSpec,
  given: ReadonlyMap<string, string>,
  until: { readonly target?: number },
): Pick<ReadAlgorithm, "stopping" | "resource"> {
  const none = { stopping: ownLength, resource: null };
  const parameter = given.get("resource_name");
  const length = given.get("r_l");
  if (parameter === undefined || length === undefined) {
    const missing = parameter === undefined ? "resource_name" : "r_l";
    refuseAt(reading, field, `hyperband needs the setting ${missing}`);
    return none;
  }
  const max = wholeNumber(reading, spec, "r_l", length, 1);
  const eta = wholeNumber(reading, spec, "eta", given.get("eta") ?? "3", 2);
  const names = (spec.parameters ?? []).map(({ name }) => name);
  if (!names.includes(parameter)) {
    refuseAt(
      reading,
      [...field, "algorithmSettings"],
      `resource_name "${parameter}" is no parameter, ${suggestion(parameter, names)}`,
    );
  }
  if (max === null || eta === null) return none;
  if (spec.earlyStopping !== undefined)
    noteAt(
      reading,
      ["spec", "earlyStopping"],
      "medianstop ignored beside hyperband, which ends trials itself",
    );
  noteAt(
    reading,
    [...field, "algorithmSettings"],
    `${parameter} is the resource: every trial is given ${max}, and hyperband's brackets pause it on the way, judged by its own reports`,
  );
  return {
    stopping: { policy: "hyperband", min: 1, max, eta, ...until },
    resource: { parameter, value: max },
  };
}

const medianDefaults = { min_trials_required: 3, start_step: 4 };
/** A command's length is not known; the median is watched for so many reports. */
const watchedReports = 1_000;

function readMedian(reading: ImportReading, spec: KatibSpec): Stopping | null {
  if (spec.earlyStopping === undefined) return null;
  const given = { ...medianDefaults };
  const base = ["spec", "earlyStopping", "algorithmSettings"];
  for (const [index, { name, value }] of spec.earlyStopping.algorithmSettings.entries()) {
    const at = [...base, index];
    if (name !== "min_trials_required" && name !== "start_step") {
      refuseAt(
        reading,
        at,
        `medianstop has no setting "${name}", ${suggestion(name, Object.keys(medianDefaults))}`,
      );
    } else if (/^[1-9]\d*$/.test(value)) given[name] = Number(value);
    else refuseAt(reading, at, `${name} should be a whole number from 1, not ${describe(value)}`);
  }
  noteAt(
    reading,
    ["spec", "earlyStopping"],
    `medianstop → median after ${given.min_trials_required} trials, from report ${given.start_step} on: a true median, where Katib takes a mean`,
  );
  const { goal } = spec.objective;
  return {
    policy: "median",
    max: watchedReports,
    interval: 1,
    grace: Math.min(given.start_step, watchedReports),
    minTrials: given.min_trials_required,
    ...(goal === undefined ? {} : { target: goal }),
  };
}

function wholeNumber(
  reading: ImportReading,
  spec: KatibSpec,
  name: string,
  text: string,
  min: number,
): number | null {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= min) return value;
  const index = spec.algorithm.algorithmSettings.findIndex((setting) => setting.name === name);
  refuseAt(
    reading,
    [...field, "algorithmSettings", index],
    `${name} should be a whole number from ${min}, not ${describe(text)}`,
  );
  return null;
}
