/** Whether a search starts trials from the weights of others, which must then be there as long as it goes on. */
import type { StoredSweepSpec } from "../format/stored-sweep.ts";

export function learnsFromWeights({ search }: Pick<StoredSweepSpec, "search">): boolean {
  return search.method === "pbt";
}
