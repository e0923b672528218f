/** The OpenAPI documents of several deployments as one, each under its deployment's name where the replica's own has its model's. */
import * as z from "zod";
import { jsonValue, longText, recordOf } from "../../protocol/bound.ts";

const documentSchema = z.looseObject({ paths: recordOf(longText, jsonValue()) });

/** `documents`: JSON as it came, by deployment, and the model that it answers with. What is none is left out. */
export function mergedOpenApi(
  documents: readonly { readonly deployment: string; readonly model: string; readonly json: string }[],
): object | null {
  let merged: z.infer<typeof documentSchema> | null = null;
  for (const { deployment, json, model } of documents) {
    const parsed = documentSchema.safeParse(valueOf(json));
    if (!parsed.success) continue;
    const paths: Record<string, unknown> = { ...merged?.paths };
    for (const [path, value] of Object.entries(parsed.data.paths))
      paths[renamed(path, model, deployment)] = value;
    merged = { ...(merged ?? parsed.data), paths };
  }
  return merged;
}

function renamed(path: string, model: string, deployment: string): string {
  for (const base of ["/predict/", "/v2/models/"])
    if (path === base + model || path.startsWith(`${base}${model}/`))
      return base + deployment + path.slice(base.length + model.length);
  return path;
}

function valueOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
