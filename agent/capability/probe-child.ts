/** Entry of a probe's child process: tries the backend named on its command line and says what it finds as it goes. */
import { errorSentence } from "../../protocol/error-sentence.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { registerGradients } from "../../training/runtime/register-gradients.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { checkGradients } from "./gradient-check.ts";
import { measureModel } from "./measure-model.ts";
import type { ProbeLine } from "./backend-probe.ts";

function say(line: ProbeLine): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(line, () => resolve());
  });
}

/** `kinds`: `<task>/<model>`; none means all. */
async function tryBackend(given: string | undefined, kinds: readonly string[]): Promise<void> {
  const name = backendNameSchema.parse(given);
  const opened = await openBackend(name);
  if (!opened.ok) return say({ type: "broken", reason: opened.refusal.message });
  const { version, device, tf } = opened.value;
  await say({ type: "opened", version, device: device ?? null });
  if (tf !== null) {
    if (name === "wasm" || name === "cpu" || name === "webgpu") await registerGradients();
    for (const found of await checkGradients(tf)) {
      await say(found);
      if (found.type === "broken") return;
    }
  }
  for (const declaration of models) {
    const { reference } = declaration;
    const kind = `${declaration.task}/${declaration.model}`;
    if (reference === null || !declaration.backends.includes(name)) continue;
    if (kinds.length > 0 && !kinds.includes(kind)) continue;
    const result = await measureModel(declaration, reference, opened.value);
    switch (result.verdict) {
      case "right":
        await say({ type: "trains", kind, examplesPerSecond: result.examplesPerSecond, load: result.load });
        break;
      case "absent":
        await say({ type: "cannot", reason: result.reason });
        break;
      case "wrong":
        return say({ type: "broken", reason: result.reason });
    }
  }
}

process.on("disconnect", () => process.exit(0));
const [, , given, ...kinds] = process.argv;
try {
  await tryBackend(given, kinds);
} catch (error) {
  const reason = errorSentence(error);
  await say({ type: "broken", reason });
}
await say({ type: "done" });
// A graphics card's driver would keep the process alive.
process.exit(0);
