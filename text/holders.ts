/** Where an artifact lies, in words. */
import type { ArtifactHolders } from "../protocol/holders-view.ts";

/** So many agents by name, the rest as a number: a line is read, not searched. */
const namedMax = 4;

export function holdersSentence({ agents, bringing, inStore }: ArtifactHolders): string {
  const places = [
    ...agents.slice(0, namedMax),
    ...(agents.length > namedMax ? [`${agents.length - namedMax} more`] : []),
    ...(inStore ? ["the mesh's store"] : []),
  ];
  const held = places.join(", ") || "nobody who is present";
  return bringing.length === 0 ? held : `${held}; being brought by ${bringing.slice(0, namedMax).join(", ")}`;
}
