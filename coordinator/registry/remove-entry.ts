/**
 * Decides on removing and restoring models, datasets and versions of them. REMOVE-3: what was removed is out of sight and nothing new stands
 * on it; numbers, lineage and the ledger stay, the bytes for as long as `gc policy` says. REMOVE-4: what stands on it is named, takes
 * `force`, and stays as it is. REMOVE-5: it comes back while its bytes are there, and nothing with the same bytes has taken its place.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RegistryEntry } from "../../protocol/registry-entry.ts";
import type { RemovalView } from "../../protocol/removal-view.ts";
import { isHeld } from "../state/bytes-held.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";
import { dependentsOfEntry } from "./entry-dependent.ts";
import { findEntry, ownEntry, type Entry, type EntryVersion } from "./find-entry.ts";
import { isLive } from "./live-version.ts";

/** What `registry-remove` would do: asked before, and decided by the same. */
export function removalOf(state: State, wanted: RegistryEntry, at: number): Outcome<RemovalView> {
  const found = findEntry(state, wanted);
  return found.ok ? viewOf(state, found.value, at) : found;
}

export function* removeEntry(
  state: State,
  sender: Sender,
  { force, why, ...wanted }: CommandBody<"registry-remove">,
  at: number,
): Decision {
  const found = ownEntry(state, sender, wanted);
  if (!found.ok) return found;
  const entry = found.value;
  const view = viewOf(state, entry, at);
  if (!view.ok) return view;
  const { dependents, versions } = view.value;
  const others = entry.versions.find(({ owner }) => sender.role !== "owner" && owner !== sender.who);
  if (others !== undefined && versions.includes(others.version)) {
    const message = `version ${others.version} of ${entry.name} belongs to ${others.owner}; name your own, such as ${entry.name}@${own(entry, sender)}`;
    return refuse("forbidden", message, ["version"]);
  }
  if (dependents.length > 0 && !force) {
    const message = `on ${entry.text} stands ${namedList(dependents)}; they stay as they are, and \`--force\` removes it all the same`;
    return refuse("conflict", message, ["force"]);
  }
  yield { kind: "VersionsRemoved", of: entry.of, name: entry.name, versions, by: sender.who, why };
  return accept(view.value);
}

export function* restoreEntry(
  state: State,
  sender: Sender,
  wanted: CommandBody<"registry-restore">,
): Decision {
  const found = ownEntry(state, sender, wanted);
  if (!found.ok) return found;
  const { name, of, text, versions: all } = found.value;
  const isOwn = ({ owner }: EntryVersion) => sender.role === "owner" || owner === sender.who;
  const removed = all.filter((each) => !isLive(each) && isOwn(each));
  // All of it: what one removal took, the last.
  const last = Math.max(...removed.map((each) => each.removed?.at ?? 0));
  const back = removed.filter((each) => each.removed?.at === last);
  if (back.length === 0) return refuse("conflict", `${text} is not removed; it is on record`, ["version"]);
  const versions: number[] = [];
  const lost: string[] = [];
  for (const each of back) {
    const why = whyLost(state, found.value, each, back);
    if (why === null) versions.push(each.version);
    else lost.push(`${name}@${each.version} ${why}`);
  }
  if (versions.length === 0) return refuse("conflict", lost.join("; "), ["version"]);
  yield { kind: "VersionsRestored", of, name, versions, by: sender.who };
  return accept({ entry: text, versions, lost });
}

function viewOf(state: State, entry: Entry, at: number): Outcome<RemovalView> {
  const { of, text } = entry;
  const goes = entry.versions.filter(isLive);
  if (goes.length === 0) {
    const by = entry.versions.at(-1)?.removed?.by ?? "nobody";
    const message = `${text} is removed already, by ${by}; \`trialmesh ${of} restore ${text}\` brings it back`;
    return refuse("conflict", message, ["version"]);
  }
  const sizes = new Map(goes.map(({ bytes, digests: [digest] }) => [digest, bytes]));
  return accept({
    entry: text,
    versions: goes.map(({ version }) => version),
    bytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
    dependents: dependentsOfEntry(state, entry, goes, at),
  });
}

function own({ versions }: Entry, { who }: Sender): number | string {
  return versions.find((each) => each.owner === who && isLive(each))?.version ?? "VERSION";
}

/** Null where it can come back. `together`: what comes back with it. */
function whyLost(
  state: State,
  { name, of }: Entry,
  { digests, version }: EntryVersion,
  together: readonly EntryVersion[],
): string | null {
  if (!digests.every((digest) => isHeld(state, digest)))
    return "cannot come back, for its bytes are no longer kept";
  const whole = findEntry(state, { of, name, version: null });
  const others = [
    ...(whole.ok ? whole.value.versions.filter(isLive) : []),
    ...together.filter((each) => each.version > version),
  ];
  const same = others.find((each) => each.digests[0] === digests[0]);
  return same === undefined ? null : `is ${name}@${same.version} by now, with the same bytes`;
}
