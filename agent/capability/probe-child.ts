/** Entry of a probe's child process: tries the backend named on its command line and sends one answer. */
import { backendNameSchema } from "../../protocol/capability.ts";
import { openBackend } from "../runtime/open.ts";
import { models } from "../task/table.ts";
import { measureModel } from "./workload.ts";
import type { backendProbeSchema } from "./backend-probe.ts";
import type * as z from "zod";

type Answer = z.infer<typeof backendProbeSchema>;

async function answer(): Promise<Answer> {
  const name = backendNameSchema.parse(process.argv[2]);
  const no = (reason: string, version: string | null): Answer => ({
    name,
    works: false,
    reason,
    version,
    measured: [],
  });
  const opened = await openBackend(name);
  if (!opened.ok) return no(opened.refusal.message, null);
  const { version } = opened.value;
  const measured: { kind: string; examplesPerSecond: number }[] = [];
  for (const declaration of models) {
    if (declaration.data === "none" || !declaration.backends.includes(name)) continue;
    const result = await measureModel(declaration, opened.value);
    if (!result.ok) return no(result.refusal.message, version);
    measured.push({ kind: result.value.kind, examplesPerSecond: result.value.examplesPerSecond });
  }
  return { name, works: true, reason: null, version, measured };
}

process.on("disconnect", () => process.exit(0));
const finished = (result: Answer): void => {
  process.send?.(result, () => process.exit(0));
};
answer().then(finished, (error: unknown) => {
  const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
  finished({ name: process.argv[2] ?? "", works: false, reason, version: null, measured: [] });
});
