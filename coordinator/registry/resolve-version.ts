/**
 * Which version is meant: by a number, an alias, `best` or `newest`, or by a change of an alias. REG-5: the one place
 * that answers this. Clients ask here, show the answer and confirm it, and the command is decided by the same functions.
 */
import type { QueryBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ResolutionView } from "../../protocol/view.ts";
import { stepBack, stepBackTo, type StepBack } from "./alias-history.ts";
import { bestVersion } from "./best-version.ts";
import { isLive, liveNames, liveVersions } from "./live-version.ts";
import type { Model, State, Version } from "../state/state.ts";

/** Names of versions that the registry finds itself; an alias made before they were kept for that goes first. */
const foundNames = ["best", "newest"];

export function resolve(state: State, body: QueryBody<"resolve">): Outcome<ResolutionView> {
  switch (body.of) {
    case "version":
      return resolveVersion(state, body.model, body.version);
    case "promote":
      return resolvePromote(state, body);
    case "rollback":
      return resolveRollback(state, body);
  }
}

export function resolveVersion(state: State, name: string, wanted: number | string): Outcome<ResolutionView> {
  const model = modelOf(state, name);
  if (!model.ok) return model;
  const pointed = typeof wanted === "string" ? model.value.aliases[wanted] : undefined;
  if (pointed !== undefined) return pointedTo(model.value, pointed, String(wanted));
  if (wanted === "best") {
    const best = bestVersion(state, model.value);
    if (best !== null) return resolved(model.value, best.version.version, null, best.why);
    const message = `the newest version of ${name} has no figure for what its sweep was to improve, so no version is the best by it`;
    return refuse("conflict", message, ["version"]);
  }
  const newest = liveVersions(model.value).at(-1)?.version;
  if (wanted === "newest" && newest !== undefined)
    return resolved(model.value, newest, null, "it was registered last");
  return resolved(model.value, wanted, null, "");
}

/** The version an alias is to get, and that it has another now. */
export function resolvePromote(
  state: State,
  body: { readonly model: string; readonly version: number | string; readonly alias: string },
): Outcome<ResolutionView> {
  const found = resolveVersion(state, body.model, body.version);
  if (!found.ok) return found;
  const { model, version } = found.value;
  const from = state.models.get(model)?.aliases[body.alias] ?? null;
  if (from === version)
    return refuse("conflict", `${model}@${body.alias} is already version ${from}`, ["version"]);
  const reserved = from === null ? reservedAlias(body.alias) : null;
  return reserved ?? accept({ ...found.value, from });
}

/** REG-3: the version an alias had before, further back with each rollback, never one it was just rolled back from. */
export function resolveRollback(
  state: State,
  body: { readonly model: string; readonly alias: string; readonly to: number | null },
): Outcome<ResolutionView> {
  const model = modelOf(state, body.model);
  if (!model.ok) return model;
  const { alias, to } = body;
  const from = model.value.aliases[alias];
  const name = `${body.model}@${alias}`;
  if (from === undefined) {
    const known = suggestion(alias, Object.keys(model.value.aliases));
    return refuse("unknown", `${body.model} has no alias ${alias}; ${known}`, ["alias"]);
  }
  if (to === from) return refuse("conflict", `${name} is already version ${from}`, ["to"]);
  if (to !== null) {
    const there = versionOf(model.value, to, "to");
    if (!there.ok) return there;
  }
  const back = to === null ? stepBack(model.value, alias) : stepBackTo(model.value, alias, to);
  if (back !== null) return resolved(model.value, back.version, from, whyBack(alias, back));
  const elsewhere = `\`trialmesh model promote ${body.model}@${to ?? "VERSION"} ${alias}\` points it elsewhere`;
  return to === null
    ? refuse(
        "conflict",
        `${name} is version ${from}, and there is nothing left to go back to; ${elsewhere}`,
        ["alias"],
      )
    : refuse("conflict", `${name} has no version ${to} behind it to go back to; ${elsewhere}`, ["to"]);
}

/** Why a new alias of that name is refused; null where it is not. */
export function reservedAlias(alias: string): Outcome<never> | null {
  if (!foundNames.includes(alias)) return null;
  const message = `an alias cannot be called ${alias}: NAME@${alias} is the ${alias} version, which the registry finds itself`;
  return refuse("invalid", message, ["alias"]);
}

function whyBack(alias: string, { version, undone }: StepBack): string {
  const what = undone.kind === "register" ? "registered" : "promoted";
  return `${alias} pointed to version ${version} before ${undone.who} ${what} version ${undone.to}`;
}

function resolved(
  model: Model,
  wanted: number | string,
  from: number | null,
  why: string,
): Outcome<ResolutionView> {
  const found = versionOf(model, wanted, "version");
  if (!found.ok) return found;
  const { artifact, version } = found.value;
  return accept({ model: model.model, version, artifact, from, why });
}

/** An alias stays where it is when its version is removed, and serves nothing until one of the two is changed. */
function pointedTo(model: Model, version: number, alias: string): Outcome<ResolutionView> {
  const found = resolved(model, version, null, `${alias} points to it`);
  if (found.ok) return found;
  const elsewhere = `\`trialmesh model promote ${model.model}@VERSION ${alias}\` points it elsewhere`;
  return refuse(
    found.refusal.code,
    `${model.model}@${alias} points to version ${version}: ${found.refusal.message}, ${elsewhere}`,
    ["version"],
  );
}

function modelOf(state: State, name: string): Outcome<Model> {
  const model = state.models.get(name);
  if (model === undefined) {
    const known = suggestion(name, liveNames(state.models));
    return refuse("unknown", `there is no model ${name}; ${known}`, ["model"]);
  }
  return model.versions.some(isLive)
    ? accept(model)
    : refuse("unknown", `model ${name} is removed; \`trialmesh model restore ${name}\` brings it back`, [
        "model",
      ]);
}

/** REG-1, REMOVE-3: the version itself, which must exist and be in sight. */
function versionOf(model: Model, wanted: number | string, field: "to" | "version"): Outcome<Version> {
  const found = model.versions.find(({ version }) => version === wanted);
  if (found?.removed !== undefined) {
    const which = `${model.model}@${found.version}`;
    const message = `${which} was removed by ${found.removed.by}; \`trialmesh model restore ${which}\` brings it back`;
    return refuse("unknown", message, [field]);
  }
  if (found !== undefined) return accept(found);
  if (typeof wanted === "number") {
    const known =
      liveVersions(model)
        .map(({ version }) => version)
        .join(", ") || "none";
    return refuse("unknown", `${model.model} has no version ${wanted}; it has ${known}`, [field]);
  }
  const known = suggestion(wanted, [...Object.keys(model.aliases), ...foundNames]);
  return refuse("unknown", `${model.model} has no alias ${wanted}; ${known}`, [field]);
}
