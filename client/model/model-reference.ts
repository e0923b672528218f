/** `NAME@VERSION` or `NAME@ALIAS`, as models are written on a command line. */
import { InvalidArgumentError } from "commander";
import { nameSchema } from "../../protocol/name.ts";

export interface ModelReference {
  readonly model: string;
  /** A version's number, or an alias. */
  readonly version: number | string;
}

export function modelReference(text: string): ModelReference {
  const [model = "", at, ...rest] = text.split("@");
  if (at === undefined || rest.length > 0)
    throw new InvalidArgumentError(
      'a model is written "name@version" or "name@alias", such as language-id@champion',
    );
  for (const name of [model, at]) {
    const parsed = nameSchema.safeParse(name);
    if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? "it is no name");
  }
  return { model, version: /^[1-9]\d*$/.test(at) ? Number(at) : at };
}
