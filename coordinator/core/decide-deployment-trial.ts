/**
 * Decides on versions that somebody wants on trial in a deployment, or no longer wants. What their replicas see of it is `hear-trial.ts`.
 *
 * DEPLOY-16: a version on trial stays the one that its reference named; one that is the incumbent by now, or whose bytes are gone, is on trial no more.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { trialAlpha, type ServedVersion } from "../../protocol/deployment.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { servedVersion } from "../registry/served-version.ts";
import type { EventOf } from "../format/event.ts";
import { referenceText } from "../state/reference-text.ts";
import type { Steps } from "../state/input.ts";
import type { Deployment, State } from "../state/state.ts";

type Wish = EventOf<"DeploymentTrialBegun">["trial"];
type Role = "canary" | "shadow";
type Body = CommandBody<"deploy-set">;

const roles: readonly Role[] = ["canary", "shadow"];

export interface TrialChange {
  /** Null where nothing begins. */
  readonly begins: Wish | null;
  readonly ends: readonly Role[];
}

/** What is left out stays; null takes it out. `incumbent`: what is answered with from now on. */
export function trialChange(
  state: State,
  open: Deployment | null,
  body: Body,
  incumbent: ServedVersion,
): Outcome<TrialChange> {
  const before = open?.trial;
  const tried: Partial<Record<Role, { model: string; version: number }>> = {};
  for (const role of roles) {
    const wanted = body[role];
    const kept = wanted === undefined ? before?.[role] : undefined;
    const found = wanted ? triedVersion(state, role, wanted, incumbent) : accept(kept);
    if (!found.ok) return found;
    if (found.value !== undefined) tried[role] = found.value;
  }
  const { canary, shadow } = tried;
  if (canary !== undefined && shadow?.model === canary.model && shadow.version === canary.version)
    return refuse(
      "conflict",
      `${canary.model}@${canary.version} is the canary; a shadow is another version`,
      ["shadow"],
    );
  if (body.alpha !== undefined && canary === undefined)
    return refuse("invalid", "alpha is for a canary, and there is none; give one with --canary", ["alpha"]);
  const ends = roles.filter((role) => body[role] === null && before?.[role] !== undefined);
  const isNew = Boolean(body.canary) || Boolean(body.shadow) || body.alpha !== undefined;
  if (!isNew) return accept({ begins: null, ends });
  const share = body.canary?.share ?? before?.canary?.share ?? 0;
  const begins: Wish = {
    ...(canary === undefined ? null : { canary: { model: canary.model, version: canary.version, share } }),
    ...(shadow === undefined ? null : { shadow }),
    alpha: body.alpha ?? before?.alpha ?? trialAlpha,
  };
  return accept({ begins, ends });
}

function triedVersion(
  state: State,
  role: Role,
  { model, version }: { readonly model: string; readonly version: number | string | null },
  incumbent: ServedVersion,
): Outcome<{ model: string; version: number }> {
  const reference = { model, ...(version === null ? null : { version }) };
  const found = servedVersion(state, reference);
  if (!found.ok) return refuse(found.refusal.code, `${role}: ${found.refusal.message}`, [role]);
  const { value } = found;
  if (value.model === incumbent.model && value.version === incumbent.version)
    return refuse(
      "conflict",
      `${referenceText(reference)} is version ${value.version}, which is what is answered with; a ${role} is another version`,
      [role],
    );
  return accept({ model: value.model, version: value.version });
}

/** What is answered with and what is on trial beside it. What can be on trial no more is ended. */
export function* versionsOnTrial(
  state: State,
  deployment: Deployment,
  incumbent: ServedVersion,
): Generator<EventOf<"DeploymentTrialEnded">, ServedVersion[], void> {
  const challengers: ServedVersion[] = [];
  for (const role of roles) {
    const tried = deployment.trial?.[role];
    if (tried === undefined) continue;
    const { model, version } = tried;
    const found = servedVersion(state, { model, version });
    const isIncumbent = model === incumbent.model && version === incumbent.version;
    if (!found.ok || isIncumbent) {
      const why = found.ok ? `it is ${referenceText(deployment.reference)} now` : found.refusal.message;
      yield { kind: "DeploymentTrialEnded", deployment: deployment.deployment, role, why };
      continue;
    }
    const share = role === "canary" ? (deployment.trial?.canary?.share ?? 0) : 1;
    challengers.push({ ...found.value, role, share });
  }
  const taken = challengers.find(({ role }) => role === "canary")?.share ?? 0;
  return [{ ...incumbent, share: 1 - taken }, ...challengers];
}

export function* changeTrial(deployment: string, by: string, { begins, ends }: TrialChange): Steps {
  for (const role of ends)
    yield { kind: "DeploymentTrialEnded", deployment, role, by, why: `${by} wants it no more` };
  if (begins !== null) yield { kind: "DeploymentTrialBegun", deployment, by, trial: begins };
}
