/** Decides on a new sweep: can it be searched, and can anything in the mesh ever run it? */
import { replicaTask } from "../../protocol/deployment.ts";
import { sweepId } from "../../protocol/id.ts";
import { isProgramTask } from "../../protocol/program.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { estimateSweep } from "../placement/estimate-sweep.ts";
import { nearestMiss } from "../placement/nearest-miss.ts";
import { recordingRefusal } from "../registry/record-built.ts";
import { gateRefusal } from "../registry/record-dataset.ts";
import { reservedAlias } from "../registry/resolve-version.ts";
import { jointProblem } from "../../search/sampler/joint-space.ts";
import { samplerFor, samplerNamed } from "../../search/choose/choose-sampler.ts";
import type { Decision } from "../state/input.ts";
import { earlierOf } from "../state/repeated-sweep.ts";
import type { State } from "../state/state.ts";
import { fingerprintText, warmStartText } from "../state/trial-key.ts";

/** Beyond so many trials a sampler that learns would read its history for longer than a trial takes. */
export const learningTrialsMax = 20_000;

/** Why the method cannot search this; for methods that learn, which see all models as one space. */
function unsuitedIn(spec: SweepSpec) {
  const { method, trials } = spec.search;
  const named = samplerNamed(method);
  if (named?.learns !== true) {
    if (spec.stopping.policy !== "bohb") return null;
    const message = `bohb learns from the rungs, which ${method} does not; use tpe, gp or auto with it, or hyperband with ${method}`;
    return { model: "", parameter: "stopping", message };
  }
  if (trials > learningTrialsMax) {
    const message = `${method} learns from its trials, ${learningTrialsMax} at most, not ${trials}; use random, sobol or grid`;
    return { model: "", parameter: "trials", message };
  }
  const unsuited = named.unsuited(jointProblem(spec));
  return unsuited === null ? null : { model: "", ...unsuited };
}

/** What an owner allows goes by the task, so a program may not come under another's name. */
function programFits({ parts, program, task }: SweepSpec): boolean {
  if (program === null) return !isProgramTask(task);
  return program.kind === task && parts.includes(program.bundle);
}

function reservedNewAlias(state: State, { register }: SweepSpec) {
  if (register === null || register.alias === null) return null;
  const known = state.models.get(register.model)?.aliases[register.alias] !== undefined;
  return known ? null : reservedAlias(register.alias);
}

export function* decideSweepRun(state: State, requester: string, spec: SweepSpec): Decision {
  const names = spec.models.map(({ model }) => model);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return refuse("invalid", `model ${twice} stands twice in the sweep`, ["models"]);
  if (!programFits(spec))
    return refuse("invalid", `task ${spec.task} and the sweep's program do not belong together`, ["program"]);
  if (spec.task === replicaTask) {
    const message = `task ${replicaTask} is the replicas of deployments; \`trialmesh deploy NAME REFERENCE\` starts one`;
    return refuse("invalid", message, ["task"]);
  }
  const sampler = samplerFor(spec);
  const problem = unsuitedIn(spec) ?? sampler.problem();
  if (problem !== null) {
    const of = problem.model === "" ? ["search"] : ["models", problem.model];
    return refuse("invalid", `${problem.parameter}: ${problem.message}`, [...of, problem.parameter]);
  }
  const unrecordable = recordingRefusal(spec);
  if (unrecordable !== null) return unrecordable;
  const reserved = reservedNewAlias(state, spec);
  if (reserved !== null) return reserved;
  const gated = gateRefusal(state, spec);
  if (gated !== null) return gated;
  for (const { model } of spec.models) {
    const miss = nearestMiss(state, requester, `${spec.task}/${model}`, spec.needs);
    if (miss !== null) return refuse("no-agent-fits", miss, ["models", model]);
  }
  const estimate = estimateSweep(state, requester, spec);
  if (!estimate.fits && !spec.beyondBudget) {
    const message = `${estimate.sentence}; ask for a grant, make the sweep smaller, or launch it with --beyond-budget to let it pause until there is more`;
    return refuse("budget-empty", message, ["cap"]);
  }
  const sweep = sweepId(state.meta.nextSweep);
  const total = Math.max(1, Math.min(spec.search.trials, sampler.size()));
  const sameness = { fingerprint: fingerprintText(spec), warmStart: warmStartText(spec) };
  const earlier = earlierOf(state, spec, state.fingerprints.get(sameness.fingerprint));
  const repeats = earlier === null ? null : { repeats: earlier.sweep };
  yield { kind: "SweepSubmitted", sweep, requester, spec, total, ...sameness, ...repeats };
  if (!state.accounts.has(requester)) yield { kind: "AccountOpened", requester, weight: 1 };
  return accept({ sweep });
}
