/** Arguments that name a version of a model; what they stand for is the mesh's answer. */
import { InvalidArgumentError } from "commander";
import { readModelReference, type ModelReference } from "../../client/model/model-reference.ts";

/** `NAME@VERSION`, `NAME@ALIAS`, `NAME@best` or `NAME@newest`. */
export function modelArgument(text: string): ModelReference {
  return read(text, null);
}

/** As `modelArgument`; a name alone is its newest version. */
export function newestArgument(text: string): ModelReference {
  return read(text, "newest");
}

/** As `modelArgument`, or a name alone, which stands for its champion; checked here, resolved where the mesh is asked. */
export function namedModelArgument(text: string): string {
  read(text, "champion");
  return text;
}

function read(text: string, alone: string | null): ModelReference {
  const reference = readModelReference(text, alone);
  if (reference.ok) return reference.value;
  throw new InvalidArgumentError(reference.refusal.message);
}
