/**
 * Which versions on record count: those that nobody has removed. REMOVE-3: whatever looks for a version to use, to compare with or to go
 * back to asks here. The others keep their numbers, their lineage and, for a while, their bytes.
 */
import type { Version } from "../state/state.ts";

type Removable = Pick<Version, "removed">;

export function isLive({ removed }: Removable): boolean {
  return removed === undefined;
}

export function liveVersions<V extends Removable>({ versions }: { readonly versions: readonly V[] }): V[] {
  return versions.filter(isLive);
}

/** Names under which there is a version. */
export function liveNames(
  records: ReadonlyMap<string, { readonly versions: readonly Removable[] }>,
): string[] {
  return [...records].flatMap(([name, { versions }]) => (versions.some(isLive) ? [name] : []));
}
