/** Gives a sweep the sealed secrets that its file names, and leads it to the agents they are sealed to. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { readSecrets, unknownSecret } from "./secret-file.ts";

/** SECRET-4: one that is not there, or that no agent could open, is refused before anything runs. */
export function giveSecrets(spec: SweepSpec, { client, home }: Connected): Outcome<SweepSpec> {
  const { needs, program } = spec;
  if (program?.kind !== "command" || program.secrets === undefined) return accept(spec);
  const kept = readSecrets(home.path);
  if (!kept.ok) return kept;
  const given = new Map<string, Readonly<Record<string, string>>>();
  let able: readonly string[] | null = null;
  for (const name of Object.keys(program.secrets)) {
    const found = kept.value.find((one) => one.name === name && one.requester === client.who);
    if (found === undefined) return unknownSecret(name);
    given.set(name, found.sealed);
    able = Object.keys(found.sealed).filter((agent) => able === null || able.includes(agent));
  }
  if (able === null) return accept(spec);
  const { only } = needs.agents ?? {};
  const left: readonly string[] = able.filter((agent) => only === undefined || only.includes(agent));
  if (left.length === 0)
    return refuse(
      "no-agent-fits",
      `no agent that this sweep may run on has all of its secrets (${[...given.keys()].join(", ")}); set them again, which seals them to every agent there is`,
    );
  return accept({
    ...spec,
    needs: { ...needs, agents: { ...needs.agents, only: [...left] } },
    program: { ...program, secrets: Object.fromEntries(given) },
  });
}
