/**
 * What a deployment's reference means just now, as its replicas are told. Which version a name stands for is `resolve-version.ts`'s to say;
 * when replicas hear of another is `core/keep-replicas.ts`'s.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServedVersion } from "../../protocol/deployment.ts";
import { isHeld } from "../state/bytes-held.ts";
import { referenceText } from "../state/reference-text.ts";
import { mustGet, type Deployment, type State } from "../state/state.ts";
import { resolveVersion } from "./resolve-version.ts";

type Reference = Deployment["reference"];

/** A name alone stands for this alias, or where there is none for the first of these that there is. */
const usualAlias = "champion";
const otherwise = ["best", "newest"];

/** DEPLOY-7: a version whose bytes are gone is none that could answer. */
export function servedVersion(state: State, reference: Reference): Outcome<ServedVersion> {
  const found = versionOf(state, reference);
  if (!found.ok) return found;
  const { artifact, model: name, version: number } = found.value;
  if (!isHeld(state, artifact))
    return refuse("conflict", `the bytes of ${name}@${number} are gone, and nothing could answer with them`, [
      "version",
    ]);
  const version = mustGet(state.models, name, "model").versions.find((each) => each.version === number);
  if (version === undefined) throw new Error(`broken invariant: no version ${number} of ${name}`);
  const data = version.dataset?.digest ?? null;
  return accept({
    ...{ role: "incumbent", share: 1, model: name, version: number, artifact, task: version.task },
    // Without its data's transformation rows are taken as they come.
    dataset: data !== null && isHeld(state, data) ? data : null,
  });
}

function versionOf(state: State, { model, version }: Reference): ReturnType<typeof resolveVersion> {
  if (version !== undefined) return resolveVersion(state, model, version);
  const hasUsual = state.models.get(model)?.aliases[usualAlias] !== undefined;
  let found = resolveVersion(state, model, hasUsual ? usualAlias : "newest");
  for (const name of hasUsual ? [] : otherwise) {
    found = resolveVersion(state, model, name);
    if (found.ok) break;
  }
  return found;
}

/** Why its reference means nothing that could be served now; null where it does. It goes on with what it had. */
export function referenceFault(state: State, { reference }: Deployment): string | null {
  const found = servedVersion(state, reference);
  return found.ok ? null : `${referenceText(reference)} means nothing now: ${found.refusal.message}`;
}
