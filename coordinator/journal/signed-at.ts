/** Tells a message that a coordinator of the mesh has signed from any other bytes. */
import { hashOf } from "./batch.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import type { Position } from "./journal.ts";
import { signedFromOf } from "./seal.ts";

/** The position of such a message; null for anything else. */
export type SignedAt = (sequence: number, bytes: Uint8Array) => Position | null;

export function signedAtIn(mesh: string, trust: MeshTrust): SignedAt {
  return (sequence, bytes) => {
    const signedFrom = signedFromOf(trust, mesh, bytes);
    return signedFrom === null ? null : { sequence, hash: hashOf(bytes), signedFrom };
  };
}
