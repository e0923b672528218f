/**
 * What the launch form of the terminal interface needs of the outside: sweep files to start from,
 * their check, and the submission. The same rooms as `sweep run`, so the same words.
 */
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { match } from "../../protocol/match.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { stoppingText } from "../../protocol/stopping.ts";
import type { DatasetRef } from "../../protocol/dataset.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type {
  LaunchCheck,
  LaunchDraft,
  LaunchField,
  LaunchProblem,
  Launcher,
  SweepTemplate,
} from "./launcher.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { datasetRefReader, planSpec, type ReadDatasetRef } from "./plan-spec.ts";
import { planSweep } from "./plan-sweep.ts";
import { prepareSweep } from "./prepare-sweep.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import { formatProblem, formatProblems, type Problem } from "../../spec/yaml/problem.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import type { Environment } from "../../system/environment.ts";

export function meshLauncher(connected: Connected, environment: Environment): Launcher {
  const known = new Map<string, DatasetRef>();
  /** A form is looked at many times while it is filled in, its data read once. */
  const readRef = datasetRefReader(connected.client, environment);
  const readOnce: ReadDatasetRef = async (wanted) => {
    const key = JSON.stringify(wanted);
    const before = known.get(key);
    if (before !== undefined) return accept(before);
    const read = await readRef(wanted);
    if (read.ok) known.set(key, read.value);
    return read;
  };
  return {
    async templates() {
      const found: SweepTemplate[] = [];
      for (const file of await sweepFiles()) {
        const read = await planSweep(file, {}, environment);
        if (read.ok && read.value.ok) found.push(templateOf(file, read.value.plan));
      }
      return found;
    },
    async validate(draft) {
      const overrides = overridesOf(draft);
      if (!overrides.ok) return refused(overrides.problems);
      const read = await planSweep(draft.file, overrides.value, environment);
      if (!read.ok) return refused([{ field: "file", message: read.refusal.message }]);
      if (!read.value.ok)
        return refused(read.value.problems.map((problem) => problemOf(draft.file, problem)));
      const spec = read.value.plan.spec(null);
      return { problems: [], trials: spec.search.trials, agentsThatFit: await countFitting(connected, spec) };
    },
    async estimate(draft) {
      const overrides = overridesOf(draft);
      if (!overrides.ok) return refuse("invalid", "the form is not filled in right");
      const read = await planSweep(draft.file, overrides.value, environment);
      if (!read.ok) return read;
      if (!read.value.ok) return refuse("invalid", formatProblems(draft.file, read.value.problems));
      const spec = await planSpec(read.value.plan, readOnce);
      const { client } = connected;
      return spec.ok ? client.query("estimate", { requester: client.who, spec: spec.value }) : spec;
    },
    async submit(draft): Promise<Outcome<{ sweep: string }>> {
      const overrides = overridesOf(draft);
      if (!overrides.ok)
        return refuse(
          "invalid",
          overrides.problems.map((problem) => `${problem.field}: ${problem.message}`).join("; "),
        );
      const { client } = connected;
      const spec = await prepareSweep({
        file: draft.file,
        overrides: overrides.value,
        environment,
        connected,
        progress: () => {},
      });
      return spec.ok ? client.command("sweep-run", { spec: spec.value }) : spec;
    },
  };
}

/** The examples, then the sweep files of the folder one stands in. Paths as one would type them. */
async function sweepFiles(): Promise<string[]> {
  const folders = [join(projectFolder, "examples"), process.cwd()];
  const files: string[] = [];
  for (const folder of new Set(folders)) {
    try {
      const names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).toSorted();
      files.push(...names.map((name) => relative(process.cwd(), join(folder, name))));
    } catch {
      // A folder that cannot be read holds no templates.
    }
  }
  return files;
}

function templateOf(file: string, plan: SweepPlan): SweepTemplate {
  const spec = plan.spec(null);
  return {
    file,
    name: spec.name,
    task: spec.task,
    dataset: plan.dataset?.name ?? "none",
    models: spec.models.map((model) => model.model),
    trials: spec.search.trials,
    metric: spec.objective.metric,
    stopping: stoppingText(spec.stopping),
  };
}

type OverridesResult =
  | { readonly ok: true; readonly value: SweepOverrides }
  | { readonly ok: false; readonly problems: readonly LaunchProblem[] };

function overridesOf(draft: LaunchDraft): OverridesResult {
  const problems: LaunchProblem[] = [];
  const number = (field: LaunchField): number | undefined => {
    const text = draft[field].trim();
    if (text === "") return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) problems.push({ field, message: `"${text}" is not a number` });
    return value;
  };
  const [trials, seed, max, budgetTokens] = [
    number("trials"),
    number("seed"),
    number("max"),
    number("budget"),
  ];
  const models = draft.models.split(/[\s,]+/).filter((name) => name !== "");
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      ...(trials === undefined ? {} : { trials }),
      ...(seed === undefined ? {} : { seed }),
      ...(max === undefined ? {} : { max }),
      ...(budgetTokens === undefined ? {} : { budgetTokens }),
      ...(models.length === 0 ? {} : { models }),
      ...(draft.beyondBudget === undefined ? {} : { beyondBudget: draft.beyondBudget }),
    },
  };
}

const draftFields: ReadonlyMap<string, LaunchField> = new Map([
  ["search.trials", "trials"],
  ["search.seed", "seed"],
  ["stopping.max", "max"],
  ["stopping.min", "max"],
  ["budget.tokens", "budget"],
]);

/** The form's field that a problem of the file belongs to; the file itself where it has none. */
function problemOf(file: string, problem: Problem): LaunchProblem {
  const field = draftFields.get(problem.field.join("."));
  if (field !== undefined) return { field, message: problem.message };
  if (problem.field[0] === "models" && problem.field.length <= 2)
    return { field: "models", message: problem.message };
  return { field: "file", message: formatProblem(file, problem) };
}

function refused(problems: readonly LaunchProblem[]): LaunchCheck {
  return { problems, trials: null, agentsThatFit: null };
}

async function countFitting({ client }: Connected, spec: SweepSpec): Promise<number | null> {
  const mesh = await client.query("mesh", {});
  if (!mesh.ok) return null;
  // Labels and packages are not part of the view: a sweep that asks for one is judged by the coordinator.
  const { packages: _, ...requirement } = spec.needs;
  return mesh.value.agents.filter(({ agent, host, backends, rates, policy, python }) =>
    spec.models.some(({ model }) => {
      const request = {
        agent,
        requester: client.who,
        kind: `${spec.task}/${model}`,
        requirement,
      };
      const capability = { host, node: "", backends, rates, labels: spec.needs.labels ?? {}, python };
      return match(request, capability, policy).length === 0;
    }),
  ).length;
}
