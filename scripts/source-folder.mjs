/**
 * The rooms of the project, lowest first: an import goes down this list or stays in its room, never up. `tests` may import
 * all; nothing imports `tests`.
 */
export const rooms = [
  "protocol",
  "system",
  "store",
  "numeric",
  "text",
  "artifact",
  "data",
  "training",
  "search",
  "spec",
  "serving",
  "coordinator",
  "agent",
  "mesh",
  "client",
  "gateway",
  "tui",
  "cli",
  "bench",
];

/** Every folder with TypeScript in it. */
export const sourceFolders = [...rooms, "tests"];
