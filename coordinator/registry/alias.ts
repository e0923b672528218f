/** Decides on alias moves. REG-1: an alias points to an existing version; REG-2: every move stands in the ledger. */
import type { CommandBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Decision } from "../state/input.ts";
import type { Model, State } from "../state/state.ts";

export function* decidePromote(state: State, who: string, body: CommandBody<"model-promote">): Decision {
  const model = state.models.get(body.model);
  if (model === undefined) return unknownModel(state, body.model);
  if (!model.versions.some(({ version }) => version === body.version)) {
    return refuse("unknown", `${body.model} has no version ${body.version}; it has ${versionsOf(model)}`, [
      "version",
    ]);
  }
  const from = model.aliases[body.alias] ?? null;
  if (from === body.version) {
    return refuse("conflict", `${body.model}@${body.alias} is already version ${from}`, ["version"]);
  }
  const { alias, version: to, why } = body;
  yield { kind: "AliasMoved", model: model.model, alias, from, to, who, why, how: "promote" };
  return accept({ model: model.model, alias, version: to, from });
}

export function* decideRollback(state: State, who: string, body: CommandBody<"model-rollback">): Decision {
  const model = state.models.get(body.model);
  if (model === undefined) return unknownModel(state, body.model);
  const { alias } = body;
  const from = model.aliases[alias];
  if (from === undefined) {
    const known = suggestion(alias, Object.keys(model.aliases));
    return refuse("unknown", `${body.model} has no alias ${alias}; ${known}`, ["alias"]);
  }
  const to = body.to ?? versionBefore(model, alias, from);
  if (to === null) {
    return refuse("conflict", `${body.model}@${alias} has never pointed to a version other than ${from}`, [
      "alias",
    ]);
  }
  if (to === from) return refuse("conflict", `${body.model}@${alias} is already version ${from}`, ["to"]);
  if (!model.versions.some(({ version }) => version === to)) {
    return refuse("unknown", `${body.model} has no version ${to}; it has ${versionsOf(model)}`, ["to"]);
  }
  yield { kind: "AliasMoved", model: model.model, alias, from, to, who, why: body.why, how: "rollback" };
  return accept({ model: model.model, alias, version: to, from });
}

/** The version the alias pointed to before it came to `from`; rollbacks themselves are stepped over. */
export function versionBefore(model: Model, alias: string, from: number): number | null {
  const moves = model.ledger.filter((move) => move.alias === alias);
  const arrival = moves.findLast((move) => move.to === from && move.kind !== "rollback");
  return arrival?.from ?? null;
}

function unknownModel(state: State, name: string) {
  return refuse("unknown", `there is no model ${name}; ${suggestion(name, state.models.keys())}`, ["model"]);
}

function versionsOf(model: Model): string {
  return model.versions.map(({ version }) => version).join(", ") || "none";
}
