/**
 * Moves of an alias that a key asks about: which ones, and, once the mesh has said which version each means, the
 * question as it is shown. Not where an alias goes: the mesh answers that, and does only what was shown.
 */
import type { AliasMove } from "../../client/model/move-alias.ts";
import type { ModelView, ResolutionView, VersionView } from "../../protocol/view.ts";
import { value } from "../../text/format.ts";
import type { Confirm, MoveQuestion } from "./confirm.ts";

const firstAlias = "champion";

/** To the selected version: every alias that points elsewhere; none where all of them point to it already. */
export function promotion(model: ModelView, { version }: VersionView): MoveQuestion {
  const elsewhere = model.aliases.filter((each) => each.version !== version).map(({ alias }) => alias);
  return promoting(model, model.aliases.length === 0 ? [firstAlias] : elsewhere, version);
}

export function promotionOfBest(model: ModelView): MoveQuestion {
  const aliases = model.aliases.map(({ alias }) => alias);
  return promoting(model, aliases.length === 0 ? [firstAlias] : aliases, "best");
}

function promoting(model: ModelView, aliases: readonly string[], version: number | string): MoveQuestion {
  const moves = championFirst(aliases).map((alias): AliasMove => ({
    of: "promote",
    model: model.model,
    version,
    alias,
  }));
  return { model, moves };
}

export function rollback(model: ModelView): MoveQuestion {
  const aliases = championFirst(model.aliases.map(({ alias }) => alias));
  const moves = aliases.map((alias): AliasMove => ({ of: "rollback", model: model.model, alias, to: null }));
  return { model, moves };
}

function championFirst(aliases: readonly string[]): readonly string[] {
  return aliases.toSorted((a, b) => Number(b === firstAlias) - Number(a === firstAlias));
}

export function confirmMove(model: ModelView, move: AliasMove, shown: ResolutionView): Confirm {
  const { alias } = move;
  const [from, to] = [shown.from, shown.version].map((version) => `${model.model}@${version}`);
  const back = move.of === "rollback";
  const after: MoveQuestion | null =
    back || shown.from === null
      ? null
      : { model, moves: [{ of: "promote", model: model.model, version: shown.from, alias }] };
  return {
    title: back ? `Roll ${alias} back to ${to}` : `Promote ${to} to ${alias}`,
    change: [
      `${alias}: ${shown.from === null ? "(new alias)" : from} -> ${to}`,
      ...(shown.why === "" ? [] : [shown.why]),
      ...compare(model, shown.from, shown.version),
    ],
    does: { kind: "move", move, shown },
    cli: cliMove(move),
    done: back ? `${alias} is back at ${to}` : `${alias} is now ${to}`,
    undo: after === null ? null : { question: after },
    alternatives: [],
  };
}

function cliMove(move: AliasMove): string {
  const { alias, model } = move;
  if (move.of === "rollback")
    return `trialmesh model rollback ${model} ${alias}${move.to === null ? "" : ` --to ${move.to}`}`;
  return move.version === "best"
    ? `trialmesh model promote ${model} ${alias} --best`
    : `trialmesh model promote ${model}@${move.version} ${alias}`;
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
