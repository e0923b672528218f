/**
 * One point to try in a running sweep, in words as people and scripts write them. Whether it is a point of the sweep's
 * space is for the coordinator to say.
 */
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandValue } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { valueSchema, type Params, type Value } from "../../protocol/value.ts";

/** `name=value` words: numbers, true and false are read as such, the rest as text; `id="16"` is the text 16. */
export function readParams(words: readonly string[]): Outcome<Params> {
  const params = new Map<string, Value>();
  for (const word of words) {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at < 1)
      return refuse("invalid", `"${word}" is no parameter; write name=value, such as lr=0.3`, ["params"]);
    if (params.has(name)) return refuse("invalid", `parameter ${name} is given twice`, ["params", name]);
    params.set(name, valueOf(word.slice(at + 1)));
  }
  return accept(Object.fromEntries(params));
}

/** A JSON scalar where it is one (and a finite number), else the text itself. */
function valueOf(text: string): Value {
  try {
    const read = valueSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : text;
  } catch {
    return text;
  }
}

export type ProposedTrial = CommandValue<"trial-propose"> & { readonly model: string };

/** `model` may be left out where the sweep has only one. */
export async function proposeTrial(
  client: MeshClient,
  sweep: string,
  params: Params,
  model?: string,
): Promise<Outcome<ProposedTrial>> {
  const named = model === undefined ? await onlyModel(client, sweep) : accept(model);
  if (!named.ok) return named;
  const proposed = await client.command("trial-propose", { sweep, model: named.value, params });
  return proposed.ok ? accept({ ...proposed.value, model: named.value }) : proposed;
}

async function onlyModel(client: MeshClient, sweep: string): Promise<Outcome<string>> {
  const found = await client.query("sweep", { sweep, limit: 1 });
  if (!found.ok) return found;
  const [model, second] = found.value.models;
  if (model !== undefined && second === undefined) return accept(model);
  const models = found.value.models.join(", ");
  return refuse("invalid", `${sweep} has several models; say which with --model: ${models}`, ["model"]);
}
