/** Rates of models that declare no work to be measured by: they are taken to cost the same on every machine. */
import type { BackendName, Capability } from "../../protocol/capability.ts";
import type { ModelDeclaration } from "../task/task.ts";

export function unmeasuredRates(
  models: readonly Pick<ModelDeclaration, "task" | "model" | "backends" | "reference">[],
  backend: BackendName,
): Capability["rates"] {
  return models
    .filter(({ backends, reference }) => reference === null && backends.includes(backend))
    .map(({ model, task }) => ({
      kind: `${task}/${model}`,
      backend,
      examplesPerSecond: 0,
      tokensPerSecond: 1,
    }));
}
