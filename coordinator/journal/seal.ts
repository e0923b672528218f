/**
 * The signature around a batch of the journal. Every message since signing began is a coordinator's, and each says at
 * which message that was, under its signature: so of a journal that older versions began, nothing after that point can
 * be without one. What is inside is `batch.ts`'s.
 */
import type { MeshTrust, Signer } from "../../protocol/signature.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

/** A coordinator's own key, and what it knows the others by. */
export interface CoordinatorKeys {
  readonly signer: Signer;
  readonly trust: MeshTrust;
}

export interface Unsealed {
  /** The batch as JSON text. */
  readonly batch: Uint8Array;
  /** The sequence of the first signed message; null as long as there is none. */
  readonly signedFrom: number | null;
}

const brace = 0x7b;

export function sealBatch(signer: Signer, mesh: string, signedFrom: number, batch: Uint8Array): Uint8Array {
  return signer.sign(contextOf(mesh), Buffer.concat([Buffer.from(`${signedFrom} `), batch]));
}

/** JOURNAL-6: refuses what is not signed once signing has begun; `before` is what the message before this one said. */
export function unsealBatch(
  trust: MeshTrust,
  mesh: string,
  bytes: Uint8Array,
  sequence: number,
  before: number | null,
): Outcome<Unsealed> {
  // Of the time before there were signatures: JSON from its first byte on.
  if (bytes[0] === brace && before === null) return accept({ batch: bytes, signedFrom: null });
  const signed = trust.open(contextOf(mesh), bytes);
  if (signed === null)
    return refuse("conflict", `journal message ${sequence} is not signed by a coordinator of mesh ${mesh}`);
  const end = signed.body.indexOf(brace);
  const signedFrom = Number(Buffer.from(signed.body.subarray(0, Math.max(0, end))).toString("latin1"));
  if (signedFrom !== (before ?? sequence))
    return refuse(
      "conflict",
      `journal message ${sequence} says that signing began at message ${signedFrom}, not at ${before ?? sequence}`,
    );
  return accept({ batch: signed.body.subarray(end), signedFrom });
}

function contextOf(mesh: string): string {
  return `journal\n${mesh}`;
}
