/**
 * How far the journal reaches, signed by the coordinator that leads: it goes with the beacon to every agent, which keeps the highest
 * and gives it back with its registration. So a journal that has become shorter than it once was, or another, is found out by
 * any agent that outlived it (decision 36). What follows from one is the coordinator's affair.
 */
import * as z from "zod";
import { digestSchema } from "./id.ts";
import { fromBytes, toBytes } from "./json-bytes.ts";
import { epochSchema } from "./order.ts";
import type { MeshTrust, Signer } from "./signature.ts";

const signedHeadSchema = z.object({
  epoch: epochSchema,
  /** Of a message of the journal that is on the server's disk. */
  sequence: z.int().positive(),
  /** SHA-256 of that message. */
  hash: digestSchema,
});
export type SignedHead = z.infer<typeof signedHeadSchema>;

export function signHead(signer: Signer, mesh: string, head: SignedHead): string {
  return Buffer.from(signer.sign(contextOf(mesh), toBytes(head))).toString("utf8");
}

/** What it says, where a coordinator of the mesh has signed it; null for anything else. */
export function readHead(trust: MeshTrust, mesh: string, proof: string): SignedHead | null {
  const signed = trust.open(contextOf(mesh), Buffer.from(proof));
  const head = signedHeadSchema.safeParse(signed === null ? undefined : fromBytes(signed.body));
  return head.data ?? null;
}

function contextOf(mesh: string): string {
  return `head\n${mesh}`;
}
