/** Arguments that name a model or a dataset, or one version of it, where either may be meant. */
import { InvalidArgumentError } from "commander";
import { readModelReference } from "../../client/model/model-reference.ts";
import type { RegistryEntry } from "../../protocol/registry-entry.ts";
import { nameArgument } from "./option.ts";

export function entryForm(of: RegistryEntry["of"]): string {
  return of === "model"
    ? "a name for all of it, or name@version or name@alias for one version"
    : "a name for all of it, or name@version for one version";
}

export function entryArgument(of: RegistryEntry["of"]): (text: string) => RegistryEntry {
  return (text) => {
    if (!text.includes("@")) return { of, name: nameArgument(text), version: null };
    const reference = readModelReference(text, null);
    if (!reference.ok)
      throw new InvalidArgumentError(of === "model" ? reference.refusal.message : `is ${entryForm(of)}`);
    return { of, name: reference.value.model, version: reference.value.version };
  };
}
