/** Rates of models that declare no work to be measured by: they are taken to cost the same on every machine. */
import type { BackendName, Capability } from "../../protocol/capability.ts";
import type { ModelDeclaration } from "../../training/task/task.ts";

export function unmeasuredRates(
  models: readonly Pick<ModelDeclaration, "task" | "model" | "backends" | "reference">[],
  backend: BackendName,
): Capability["rates"] {
  return models
    .filter(({ backends, reference }) => reference === null && backends.includes(backend))
    .map(({ model, task }) => unmeasuredRate(`${task}/${model}`, backend));
}

/** As fast as the reference machine, until trials show otherwise. */
export function unmeasuredRate(kind: string, backend: BackendName): Capability["rates"][number] {
  return { kind, backend, examplesPerSecond: 0, tokensPerSecond: 1 };
}
