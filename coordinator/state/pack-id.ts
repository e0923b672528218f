/** A pack among artifacts that are marked to go: it goes as one, when nothing refers to any digest in it. */
import type { Digest } from "../../protocol/id.ts";
import type { State } from "./state.ts";

const prefix = "pack/";

export function packId(pack: number): string {
  return `${prefix}${pack}`;
}

/** The pack of that id; null where it is the digest of an artifact. */
export function packOfId(id: string): number | null {
  return id.startsWith(prefix) ? Number(id.slice(prefix.length)) : null;
}

/** What goes with it: of an artifact itself, of a pack what the record says is in it. */
export function digestsOf(state: State, id: string): readonly Digest[] {
  const pack = packOfId(id);
  return pack === null ? [id] : (state.packs.get(pack)?.digests ?? []);
}
