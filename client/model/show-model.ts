/** A model with what the mesh would do next: which version is its best, and where each alias would go back to. */
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { ModelView, ResolutionView } from "../../protocol/view.ts";

export interface ShownModel extends ModelView {
  /** Null where none is the best; `resolve` would say why. */
  readonly best: ResolutionView | null;
  /** Left out: aliases with nothing to go back to. */
  readonly rollbacks: readonly (ResolutionView & { readonly alias: string })[];
}

export async function showModel(client: MeshClient, model: string): Promise<Outcome<ShownModel>> {
  const view = await client.query("model", { model });
  if (!view.ok) return view;
  const [best, ...backs] = await Promise.all([
    client.query("resolve", { of: "version", model, version: "best" }),
    ...view.value.aliases.map(({ alias }) =>
      client.query("resolve", { of: "rollback", model, alias, to: null }),
    ),
  ]);
  const rollbacks = backs.flatMap((back, at) => {
    const alias = view.value.aliases[at]?.alias;
    return back.ok && alias !== undefined ? [{ alias, ...back.value }] : [];
  });
  return accept({ ...view.value, best: best.ok ? best.value : null, rollbacks });
}
