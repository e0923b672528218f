// Keys of a coordinator of the next version, whose journal format is one higher: what it writes it numbers so, and it reads
// both. The version at hand must wait before what that one wrote, and neither lead nor halt (FORMAT-3).
import type { CoordinatorKeys } from "../../coordinator/journal/seal.ts";
import { journalFormat } from "../../coordinator/journal/batch.ts";
import { MeshTrust, Signer, type Signed } from "../../protocol/signature.ts";

const current = Buffer.from(`{"v":${journalFormat},`);
const next = Buffer.from(`{"v":${journalFormat + 1},`);

export function newerKeys({ signer, trust }: CoordinatorKeys): CoordinatorKeys {
  return { signer: new NewerSigner(signer), trust: new NewerTrust(trust) };
}

function renumbered(bytes: Uint8Array, from: Buffer, to: Buffer): Uint8Array {
  const isOne = from.equals(bytes.subarray(0, from.length));
  return isOne ? Buffer.concat([to, bytes.subarray(from.length)]) : bytes;
}

class NewerSigner extends Signer {
  readonly #signer: Signer;

  constructor(signer: Signer) {
    super({ seed: Buffer.alloc(32).toString("base64url"), certificate: "" });
    this.#signer = signer;
  }

  override sign(context: string, body: Uint8Array): Uint8Array {
    return this.#signer.sign(context, renumbered(body, current, next));
  }
}

class NewerTrust extends MeshTrust {
  readonly #trust: MeshTrust;

  constructor(trust: MeshTrust) {
    super("", () => false);
    this.#trust = trust;
  }

  override open(context: string, bytes: Uint8Array): Signed | null {
    const signed = this.#trust.open(context, bytes);
    return signed === null ? null : { ...signed, body: renumbered(signed.body, next, current) };
  }
}
