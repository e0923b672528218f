/** Keys of a mesh's coordinators for tests: an operator key of the process, and a signing key for each name. */
import { createOperator } from "@nats-io/nkeys";
import type { CoordinatorKeys } from "../../coordinator/journal/seal.ts";
import { certificateOf, MeshTrust, newOwnKey, Signer } from "../../protocol/signature.ts";

const operator = createOperator();

export function trustOf(mesh: string): MeshTrust {
  return new MeshTrust(mesh, (bytes, signature) => operator.verify(bytes, signature));
}

export function keysOf(mesh: string, name = "lead"): CoordinatorKeys {
  const { publicKey, seed } = newOwnKey();
  const certificate = certificateOf(mesh, name, publicKey, (bytes) => operator.sign(bytes));
  return { signer: new Signer({ seed, certificate }), trust: trustOf(mesh) };
}
