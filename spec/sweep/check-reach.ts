/**
 * Whether a search reaches its program: each parameter whose value differs between trials must stand in a word or a variable,
 * or be said to be taken from elsewhere. It looks at words alone; what a program does with them nobody can see.
 */
import { listMacros, macroPattern } from "../../protocol/command-macro.ts";
import type { Distribution } from "../../protocol/space.ts";
import { levels } from "../../search/space/axis.ts";
import type { CommandSweep } from "./command-sweep.ts";

export type Reach =
  | { readonly kind: "all" }
  /** No parameter at all is passed, and there is more than one point. */
  | { readonly kind: "none"; readonly message: string }
  /** Some are; a sentence for each that is not. */
  | { readonly kind: "some"; readonly unreached: ReadonlyMap<string, string> };

/** The file that this variable names holds all parameters. */
export const paramsVariable = "TRIALMESH_PARAMS";

const wholeMacros: readonly string[] = [...listMacros, "args_json", "args_json_file"];

export function reachOf({ command, environment, module, reads, search, space, where }: CommandSweep): Reach {
  // One trial has nothing that it could be the same as.
  if (module !== null || reads === "environment" || search.trials === 1) return { kind: "all" };
  const texts = [...command, ...Object.values(environment)];
  const named = new Set<string>();
  for (const text of texts) {
    if (text.includes(paramsVariable)) return { kind: "all" };
    for (const [, macro = ""] of text.matchAll(macroPattern)) {
      if (wholeMacros.includes(macro)) return { kind: "all" };
      if (macro.startsWith("parameter:")) named.add(macro.slice("parameter:".length));
    }
  }
  const searched = Object.entries(space).filter(([, distribution]) => levels(distribution) !== 1);
  const missed = searched.filter(([name]) => !named.has(name));
  if (missed.length === 0) return { kind: "all" };
  if (missed.length === searched.length)
    return {
      kind: "none",
      message:
        "no word of it passes a parameter, so every trial would run the same command line; put ${args} or ${parameter:NAME} into it",
    };
  const isWhole = search.method === "grid" && where.length === 0 && pointsOf(searched) <= search.trials;
  const same = isWhole && searched.every(([, { when }]) => when === undefined) ? pointsOf(missed) : null;
  return {
    kind: "some",
    unreached: new Map(missed.map(([name]) => [name, missedSentence(name, same, pointsOf(searched))])),
  };
}

/** `same`: how many trials share a command line, where that is known. */
function missedSentence(name: string, same: number | null, points: number): string {
  const [searched, effect] =
    same === null
      ? ["is searched", "trials that differ in it alone run the same command line"]
      : [`is searched (${points} trials)`, `${same} trials each run the same command line`];
  return `${name} ${searched} and no word passes it, so ${effect}; \${args} passes all, \${parameter:${name}} this one`;
}

function pointsOf(parameters: readonly (readonly [string, Distribution])[]): number {
  return parameters.reduce((product, [, distribution]) => product * (levels(distribution) ?? Infinity), 1);
}
