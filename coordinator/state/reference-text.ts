/** A deployment's reference as people write it: `language-id@champion`, or a name alone. */
import type { Deployment } from "./state.ts";

export function referenceText({ model, version }: Deployment["reference"]): string {
  return version === undefined ? model : `${model}@${version}`;
}
