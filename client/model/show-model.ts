/** A model with what the mesh would do next: which version is its best, and where each alias would go back to. */
import type { MeshClient } from "../../protocol/client.ts";
import type { QueryBody } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { ModelView, ResolutionView } from "../../protocol/view.ts";

export interface ShownModel extends ModelView {
  /** Null where none is the best; `resolve` would say why. */
  readonly best: ResolutionView | null;
  /** Left out: aliases with nothing to go back to. */
  readonly rollbacks: readonly (ResolutionView & { readonly alias: string })[];
  /** Aliases that serve nothing: their version is removed. */
  readonly idle: ModelView["aliases"];
}

export async function showModel(
  client: MeshClient,
  wanted: QueryBody<"model">,
): Promise<Outcome<ShownModel>> {
  const view = await client.query("model", wanted);
  if (!view.ok) return view;
  const { aliases, model, versions } = view.value;
  const [best, ...backs] = await Promise.all([
    client.query("resolve", { of: "version", model, version: "best" }),
    ...aliases.map(({ alias }) => client.query("resolve", { of: "rollback", model, alias, to: null })),
  ]);
  const rollbacks = backs.flatMap((back, at) => {
    const alias = aliases[at]?.alias;
    return back.ok && alias !== undefined ? [{ alias, ...back.value }] : [];
  });
  const serving = new Set(versions.flatMap((each) => (each.removed === undefined ? [each.version] : [])));
  const idle = aliases.filter(({ version }) => !serving.has(version));
  return accept({ ...view.value, best: best.ok ? best.value : null, rollbacks, idle });
}
