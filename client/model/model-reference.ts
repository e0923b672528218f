/** How a version of a model is written: `NAME@VERSION`, `NAME@ALIAS`, `NAME@best` or `NAME@newest`; the id of an answer names its own. */
import { nameSchema } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export interface ModelReference {
  readonly model: string;
  /** A version's number, or a name that the mesh resolves. */
  readonly version: number | string;
}

/** What stands behind the version in the id of an answer of a server. */
const ofAnswer = /(?<=@[1-9]\d*)~[0-9a-z]+$/;

/** A name alone stands for `alone`, or is refused where that is null. */
export function readModelReference(text: string, alone: string | null): Outcome<ModelReference> {
  const [model = "", at = alone, ...rest] = text.replace(ofAnswer, "").split("@");
  if (at === null || rest.length > 0)
    return refuse(
      "invalid",
      'a model is written "name@version", "name@alias" or "name@best", such as language-id@champion',
    );
  for (const name of [model, at]) {
    const parsed = nameSchema.safeParse(name);
    if (!parsed.success) return refuse("invalid", parsed.error.issues[0]?.message ?? "it is no name");
  }
  const number = /^[1-9]\d*$/.test(at) ? Number(at) : null;
  if (number !== null && !Number.isSafeInteger(number))
    return refuse("invalid", "no version has a number as high as that");
  return accept({ model, version: number ?? at });
}
