/**
 * Changes that are asked about first: the exact change in words, the command that makes it, and the command
 * that takes it back. Built from what is on the screen, so that what was read is what is done.
 */
import type { AliasMove } from "../../client/model/move-alias.ts";
import type { ModelView, ResolutionView } from "../../protocol/view.ts";
import { cliLine, type MeshRequest } from "./request.ts";

export interface Confirm {
  readonly title: string;
  readonly change: readonly string[];
  readonly does: Change;
  readonly cli: string;
  /** What is said once it is done. */
  readonly done: string;
  readonly undo: Undo | null;
  /** The same change on another alias, in order; left and right go through them. */
  readonly alternatives: readonly Confirm[];
}

/** A move of an alias does what was shown, and only for a version that proves it can serve. */
export type Change =
  | { readonly kind: "command"; readonly request: MeshRequest }
  | { readonly kind: "move"; readonly move: AliasMove; readonly shown: ResolutionView };

/** Moves to ask the mesh about, the first the one to show; those it refuses are not offered. */
export interface MoveQuestion {
  readonly model: ModelView;
  readonly moves: readonly AliasMove[];
}

/** What takes a change back: known beforehand, or for the mesh to say. */
export type Undo = { readonly confirm: Confirm } | { readonly question: MoveQuestion };

export const why = "from the terminal interface";

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
    does: { kind: "command", request },
    cli: cliLine(request),
    done: `${sweep} is stopped`,
    undo: null,
    alternatives: [],
  };
}

export function stopTrial(trial: string): Confirm {
  const request: MeshRequest = { name: "trial-stop", body: { trial, why } };
  return {
    title: `Stop trial ${trial}`,
    change: [`${trial} ends with what it has measured so far.`, "Its sweep goes on without it."],
    does: { kind: "command", request },
    cli: cliLine(request),
    done: `${trial} is stopped`,
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
    does: { kind: "command", request },
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
    does: { kind: "command", request },
    cli: cliLine(request),
    done: cordon ? `${agent} is cordoned` : `${agent} takes trials again`,
    undo: cordon ? { confirm: cordonAgent(agent, false, running) } : null,
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
