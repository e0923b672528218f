/**
 * Changes that are asked about first: the exact change in words, the command that makes it, and the command
 * that takes it back. Built from what is on the screen, so that what was read is what is done.
 */
import type { ModelView, VersionView } from "../../protocol/view.ts";
import { value } from "../../text/format.ts";
import { cliLine, type MeshRequest } from "./request.ts";

export interface Confirm {
  readonly title: string;
  readonly change: readonly string[];
  readonly request: MeshRequest;
  /** The version an alias would point to, which must prove first that it can serve; null for other changes. */
  readonly serves: { readonly model: ModelView; readonly version: number } | null;
  readonly cli: string;
  /** What is said once it is done. */
  readonly done: string;
  readonly undo: Confirm | null;
  /** The same change on another alias, in order; left and right go through them. */
  readonly alternatives: readonly Confirm[];
}

const why = "from the terminal interface";
const firstAlias = "champion";

/** Of the aliases that point elsewhere, `champion` first; null where all of them point to this version already. */
export function promotion(model: ModelView, version: VersionView): Confirm | null {
  const aliases = model.aliases.filter((each) => each.version !== version.version).map((each) => each.alias);
  const names = model.aliases.length === 0 ? [firstAlias] : aliases;
  const all = names
    .toSorted((a, b) => Number(b === firstAlias) - Number(a === firstAlias))
    .map((alias) => promoteTo(model, version, alias));
  return all.length === 0 ? null : withAlternatives(all);
}

function promoteTo(model: ModelView, version: VersionView, alias: string): Confirm {
  const from = model.aliases.find((each) => each.alias === alias)?.version ?? null;
  const request: MeshRequest = {
    name: "model-promote",
    body: { model: model.model, version: version.version, alias, why },
  };
  return {
    title: `Promote ${model.model}@${version.version} to ${alias}`,
    change: [
      `${alias}: ${from === null ? "(new alias)" : `${model.model}@${from}`} -> ${model.model}@${version.version}`,
      ...compare(model, from, version.version),
    ],
    request,
    serves: { model, version: version.version },
    cli: cliLine(request),
    done: `${alias} is now ${model.model}@${version.version}`,
    undo: from === null || from === version.version ? null : rollbackTo(model, alias, version.version, from),
    alternatives: [],
  };
}

/** Null where no alias has pointed anywhere else before. */
export function rollback(model: ModelView): Confirm | null {
  const all = model.aliases.flatMap(({ alias, version }) => {
    const moves = model.ledger.filter((each) => each.alias === alias).toSorted((a, b) => b.at - a.at);
    const from = moves.find((each) => each.to === version)?.from ?? null;
    return from === null || from === version ? [] : [rollbackTo(model, alias, version, from)];
  });
  return all.length === 0 ? null : withAlternatives(all);
}

function rollbackTo(model: ModelView, alias: string, from: number, to: number): Confirm {
  const request: MeshRequest = { name: "model-rollback", body: { model: model.model, alias, to, why } };
  return {
    title: `Roll ${alias} back to ${model.model}@${to}`,
    change: [`${alias}: ${model.model}@${from} -> ${model.model}@${to}`, ...compare(model, from, to)],
    request,
    serves: { model, version: to },
    cli: cliLine(request),
    done: `${alias} is back at ${model.model}@${to}`,
    undo: null,
    alternatives: [],
  };
}

export function stopSweep(sweep: string, name: string, running: number): Confirm {
  const request: MeshRequest = { name: "sweep-stop", body: { sweep, why } };
  return {
    title: `Stop sweep ${sweep}`,
    change: [
      `${name} proposes no more trials, and those that wait are cancelled.`,
      running === 0
        ? "No trial of it runs now."
        : `${running} running trial${running === 1 ? " is" : "s are"} cancelled.`,
    ],
    request,
    serves: null,
    cli: cliLine(request),
    done: `${sweep} is stopped`,
    undo: null,
    alternatives: [],
  };
}

export function drainAgent(agent: string, drain: boolean, running: number): Confirm {
  const request: MeshRequest = { name: "agent-drain", body: { agent, drain } };
  return {
    title: drain ? `Drain agent ${agent}` : `End the drain of agent ${agent}`,
    change: drain
      ? [
          `${agent} takes no new trials.`,
          running === 0
            ? "Nothing runs there."
            : `What runs there (${running}) stops at its next checkpoint and goes on elsewhere.`,
        ]
      : [`${agent} takes new trials again.`],
    request,
    serves: null,
    cli: cliLine(request),
    done: drain ? `${agent} drains` : `${agent} takes trials again`,
    undo: null,
    alternatives: [],
  };
}

export function cordonAgent(agent: string, cordon: boolean, running: number): Confirm {
  const request: MeshRequest = { name: "agent-cordon", body: { agent, cordon } };
  return {
    title: cordon ? `Cordon agent ${agent}` : `End the cordon of agent ${agent}`,
    change: cordon
      ? [
          `${agent} takes no new trials.`,
          running === 0 ? "Nothing runs there." : `What runs there (${running}) goes on to its end.`,
        ]
      : [`${agent} takes new trials again.`],
    request,
    serves: null,
    cli: cliLine(request),
    done: cordon ? `${agent} is cordoned` : `${agent} takes trials again`,
    undo: cordon ? cordonAgent(agent, false, running) : null,
    alternatives: [],
  };
}

/** The next alternative, in a ring. */
export function nextAlternative(confirm: Confirm, by: number): Confirm {
  const all = confirm.alternatives;
  const at = all.findIndex((each) => each.title === confirm.title);
  const next = all[(at + by + all.length) % all.length];
  return next === undefined ? confirm : { ...next, alternatives: all };
}

export function withAlternatives(all: readonly Confirm[]): Confirm {
  const [first] = all;
  if (first === undefined) throw new Error("a change needs at least one alternative");
  return { ...first, alternatives: all };
}

/** The metrics of both versions beside each other. */
function compare(model: ModelView, from: number | null, to: number): readonly string[] {
  const before = model.versions.find((each) => each.version === from);
  const after = model.versions.find((each) => each.version === to);
  if (before === undefined || after === undefined || before === after) return [];
  return Object.keys(after.metrics)
    .filter((name) => name in before.metrics)
    .map(
      (name) => `${name}: ${value(before.metrics[name] ?? null)} -> ${value(after.metrics[name] ?? null)}`,
    );
}
