/**
 * TLS-8: who was revoked, as one list that the mesh's operator signs and all agents hear: so that two of them that speak to each other know it
 * without asking anybody. It names keys, not people: who is invited again has another. A list that is not newer than the one known counts for
 * nothing, so that no old one comes back. Not how it is sent (`mesh/part/serve-certificate.ts`).
 */
import * as z from "zod";
import { listOf, shortText, textOf } from "../bound.ts";
import { bytesPerMiB } from "../byte-unit.ts";
import { fromBytes, toBytes } from "../json-bytes.ts";
import { nameSchema } from "../name.ts";
import type { CheckCertificate } from "../signature.ts";

/** Certificates of older revocations have ended; a message has room for more. */
export const revokedKeysMax = 10_000;

const listSchema = z.object({
  mesh: nameSchema,
  /** Only grows: about Unix time in ms. */
  number: z.number().int().nonnegative(),
  /** Public keys of NATS users. */
  users: listOf(shortText, revokedKeysMax),
});
export type RevokedUsers = z.infer<typeof listSchema>;

const messageSchema = z.object({ revoked: textOf(bytesPerMiB), signature: shortText });

function signedText(text: string): Uint8Array {
  return Buffer.from(`trialmesh revoked\n${text}`);
}

/** `sign`: with the operator's key. */
export function revokedMessage(list: RevokedUsers, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const text = JSON.stringify(list);
  const signature = Buffer.from(sign(signedText(text))).toString("base64url");
  return toBytes({ revoked: text, signature });
}

export class RevokedList {
  readonly #mesh: string;
  readonly #check: CheckCertificate;
  readonly #listeners = new Set<(users: ReadonlySet<string>) => void>();
  #number = -1;
  #users: ReadonlySet<string> = new Set();

  /** `check`: of the operator's signatures. */
  constructor(mesh: string, check: CheckCertificate) {
    this.#mesh = mesh;
    this.#check = check;
  }

  /** Whether it was news, signed for this mesh; anything else changes nothing. */
  take(message: Uint8Array): boolean {
    const parsed = messageSchema.safeParse(fromBytes(message));
    if (!parsed.success) return false;
    const list = listSchema.safeParse(fromBytes(Buffer.from(parsed.data.revoked)));
    if (!list.success || list.data.mesh !== this.#mesh || list.data.number <= this.#number) return false;
    // Last, since it takes longest and the same list comes every second.
    if (!this.#isSigned(parsed.data)) return false;
    this.#number = list.data.number;
    this.#users = new Set(list.data.users);
    for (const listener of this.#listeners) listener(this.#users);
    return true;
  }

  #isSigned({ revoked, signature }: z.infer<typeof messageSchema>): boolean {
    try {
      return this.#check(signedText(revoked), Buffer.from(signature, "base64url"));
    } catch {
      // Not a signature's length.
      return false;
    }
  }

  /** By the public key of its NATS user, as in its certificate. */
  isRevoked(userKey: string): boolean {
    return this.#users.has(userKey);
  }

  get number(): number {
    return this.#number;
  }

  /** Told all that are revoked, whenever that changes. Returns its removal. */
  onChange(listener: (users: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
