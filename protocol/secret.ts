/** Secrets of requesters in the words of the mesh: what they may be called, and how a sealed one is bound to whose it is. */
import { longText, nameCharactersMax, recordOf, textOf } from "./bound.ts";
import { nameSchema } from "./name.ts";
import { seal, unseal, type SealKey } from "./hpke.ts";

export const secretNameText = textOf(nameCharactersMax).regex(
  /^(?!TRIALMESH_)[A-Z_][A-Z0-9_]*$/,
  'a secret is called as a variable, such as HF_TOKEN, and not "TRIALMESH_…"',
);

/** By name and agent: the value, sealed to that agent. In a plan nobody is named yet. */
export const sealedSecretsSchema = recordOf(secretNameText, recordOf(nameSchema, longText));

const info = "trialmesh secret 1";
/** Longer ones are files, which travel with the program or lie on the machine. */
export const secretCharactersMax = 3_000;
/** Shorter ones could not be masked in what a program prints without masking half of it. */
export const secretCharactersMin = 6;

/** To this agent's key, for programs of this requester: in anybody else's sweep it opens nothing. */
export function sealSecret(publicKey: string, requester: string, name: string, value: string): string {
  return seal({ publicKey, info, bound: JSON.stringify([requester, name]), plain: Buffer.from(value) });
}

export function openSecret(key: SealKey, requester: string, name: string, sealed: string): string | null {
  return unseal(key, sealed, info, JSON.stringify([requester, name]))?.toString("utf8") ?? null;
}
