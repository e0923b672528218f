/**
 * Submits a sweep that builds a dataset and says what is to be recorded when it is done. A mesh of an older release does
 * not know that field: it gets the sweep without it, and the program that asked records the version as it did before.
 */
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandValue } from "../../protocol/command.ts";
import type { Outcome, Refusal } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { submitSweep } from "../follow/submit-sweep.ts";

export async function submitBuild(
  client: MeshClient,
  spec: SweepSpec,
  say: (line: string) => void,
): Promise<Outcome<CommandValue<"sweep-run">>> {
  const submitted = await submitSweep(client, spec, say);
  if (submitted.ok || !isUnknownField(submitted.refusal, "records")) return submitted;
  const { records: _, ...plain } = spec;
  return submitSweep(client, plain, say);
}

function isUnknownField({ code, message }: Refusal, field: string): boolean {
  return (
    code === "invalid" &&
    (message.includes(`Unrecognized key: "${field}"`) || message.includes(`"${field}", which is not known`))
  );
}
