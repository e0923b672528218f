/**
 * The signature on a batch of the journal. Every message since signing began is a coordinator's, and each says at which
 * message that was, under its signature: so of a journal that older versions began, nothing after that point can be
 * without one. What a batch holds is `batch.ts`'s.
 */
import { fromOldBytes } from "../../protocol/json-bytes.ts";
import type { MeshTrust, Signer } from "../../protocol/signature.ts";
import {
  decodeBatch,
  firstSealedFormat,
  formatOf,
  journalFormat,
  newerFormat,
  type BatchReading,
} from "./batch.ts";

/** A coordinator's own key, and what it knows the others by. */
export interface CoordinatorKeys {
  readonly signer: Signer;
  readonly trust: MeshTrust;
}

export function sealBatch(signer: Signer, mesh: string, batch: Uint8Array): Uint8Array {
  return signer.sign(contextOf(mesh), batch);
}

/** Where signing began, as a message by itself says it; null where no coordinator has signed it. */
export function signedFromOf(trust: MeshTrust, mesh: string, bytes: Uint8Array): number | null {
  const signed = trust.open(contextOf(mesh), bytes);
  const reading = signed === null ? null : decodeBatch(signed.body);
  return reading?.kind === "read" && reading.batch.v === journalFormat ? reading.batch.signedFrom : null;
}

/**
 * JOURNAL-7: what is not signed is broken once signing has begun; `before` is where the message before this one said that
 * it did, null as long as it has not. How a newer format is signed is not known here: that one is waited for.
 */
export function readSealed(
  trust: MeshTrust,
  mesh: string,
  bytes: Uint8Array,
  sequence: number,
  before: number | null,
): BatchReading {
  const signed = trust.open(contextOf(mesh), bytes);
  if (signed === null) {
    const format = formatOf(fromOldBytes(bytes));
    if (format > journalFormat) return newerFormat(format);
    if (before === null && format < firstSealedFormat) return decodeBatch(bytes);
    return { kind: "broken", what: `it is not signed by a coordinator of mesh ${mesh}` };
  }
  const reading = decodeBatch(signed.body);
  if (reading.kind !== "read") return reading;
  const said = reading.batch.v === journalFormat ? reading.batch.signedFrom : null;
  const began = before ?? sequence;
  if (said === began) return reading;
  return {
    kind: "broken",
    what: `it says that signing began at ${said === null ? "no message" : `message ${said}`}, not at message ${began}`,
  };
}

function contextOf(mesh: string): string {
  return `journal\n${mesh}`;
}
