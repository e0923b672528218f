// Keys of a simulated mesh: what a coordinator signs carries a keyed hash where a real one has an Ed25519 signature, which
// would be a third of what a simulated second costs. The frame is that of `signature.ts`, whose own tests check the real ones.
import { createHmac } from "node:crypto";
import type { CoordinatorKeys } from "../../coordinator/journal/seal.ts";
import { MeshTrust, Signer, type Signed } from "../../protocol/signature.ts";

const fieldStart = Buffer.from(',"signed":"');
const fieldEnd = '"}';
const closingBrace = Buffer.from("}");
const signedBy = "lead";
/** What the class asks for and nothing here signs with. */
const unusedKey = { seed: Buffer.alloc(32).toString("base64url"), certificate: "" };

export function keyedHashKeys(mesh: string): CoordinatorKeys {
  return { signer: new HashSigner(mesh), trust: new HashTrust(mesh) };
}

function hashOf(mesh: string, context: string, body: Uint8Array): string {
  return createHmac("sha256", mesh).update(`${context}\n`).update(body).digest("base64url");
}

class HashSigner extends Signer {
  readonly #mesh: string;

  constructor(mesh: string) {
    super(unusedKey);
    this.#mesh = mesh;
  }

  override sign(context: string, body: Uint8Array): Uint8Array {
    const proof = hashOf(this.#mesh, context, body);
    return Buffer.concat([body.subarray(0, -1), fieldStart, Buffer.from(proof + fieldEnd)]);
  }
}

class HashTrust extends MeshTrust {
  readonly #mesh: string;

  constructor(mesh: string) {
    super(mesh, () => false);
    this.#mesh = mesh;
  }

  override open(context: string, bytes: Uint8Array): Signed | null {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = whole.lastIndexOf(fieldStart);
    if (at < 0) return null;
    const body = Buffer.concat([whole.subarray(0, at), closingBrace]);
    const proof = whole.subarray(at + fieldStart.length).toString("latin1");
    return proof === hashOf(this.#mesh, context, body) + fieldEnd ? { by: signedBy, body } : null;
  }
}
