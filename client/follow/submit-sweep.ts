/**
 * A launch with its price: the mesh is asked what the sweep will cost before it is submitted, and that is said once it is
 * accepted. One that is refused has its reason in the refusal.
 */
import type { CommandValue } from "../../protocol/command.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";

export async function submitSweep(
  client: MeshClient,
  spec: SweepSpec,
  say: (line: string) => void,
): Promise<Outcome<CommandValue<"sweep-run">>> {
  const estimate = await client.query("estimate", { requester: client.who, spec });
  const submitted = await client.command("sweep-run", { spec });
  if (submitted.ok && estimate.ok) say(`${spec.name}: ${estimate.value.sentence}`);
  return submitted;
}
