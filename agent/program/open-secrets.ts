/** The secrets of a program as its variables: opened with the agent's own key as late as its start, and written nowhere. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { CommandProgram } from "../../protocol/program.ts";
import { openSecret } from "../../protocol/secret.ts";
import type { SealKey } from "../../protocol/hpke.ts";

/** Whom secrets are sealed to. */
export interface SecretHolder {
  readonly agent: string;
  readonly key: SealKey;
}

/** SECRET-2. */
export function openSecrets(
  { secrets }: Pick<CommandProgram, "secrets">,
  requester: string | undefined,
  holder: SecretHolder | null,
): Outcome<Readonly<Record<string, string>>> {
  const opened = new Map<string, string>();
  for (const [name, sealed] of Object.entries(secrets ?? {})) {
    const own = holder === null ? undefined : sealed[holder.agent];
    const value =
      holder === null || own === undefined || requester === undefined
        ? null
        : openSecret(holder.key, requester, name, own);
    if (value === null)
      return refuse(
        "unavailable",
        `its secret ${name} was not sealed to this agent, or before the agent was made anew; \`trialmesh secret set ${name}\` seals it to every agent there is`,
      );
    opened.set(name, value);
  }
  return accept(Object.fromEntries(opened));
}
