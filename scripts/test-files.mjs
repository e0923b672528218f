/** Which compiled tests there are, by group, and which of them the given paths choose. */
import { existsSync, readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { root, StepFailed } from "./step.mjs";

/**
 * `shared` groups run in one process, which starts hundreds of small tests in half a second.
 * `live` starts servers and kills processes: each file has a process of its own.
 */
export const testGroups = [
  { name: "core", folders: ["tests/core", "tests/contract", "tests/sim"], shared: true },
  { name: "live", folders: ["tests/live"], shared: false },
];

/** Those that take longest, begun first, so that none of them is left for the end. */
const longest = [
  "readme",
  "mesh-pause",
  "mesh-preempt",
  "mesh-resume",
  "cli-mesh",
  "mesh-takeover",
  "mesh-owner",
];

function rankOf(file) {
  const rank = longest.findIndex((name) => file.endsWith(`/${name}.test.ts`));
  return rank === -1 ? longest.length : rank;
}

/** The source paths of the group's tests, relative to the root, kept to those under one of `filters`. */
export function testsOf(group, filters) {
  const found = group.folders
    .flatMap((folder) => walk(folder))
    .sort()
    .sort((one, other) => rankOf(one) - rankOf(other));
  return filters.length === 0
    ? found
    : found.filter((file) => filters.some((filter) => isUnder(file, filter)));
}

/** Paths as the user gave them, relative to the root; one that chooses nothing is refused. */
export function readFilters(parameters) {
  const all = testGroups.flatMap((group) => testsOf(group, []));
  return parameters.map((given) => {
    const path = relative(root, resolve(root, given));
    if (all.some((file) => isUnder(file, path))) return path;
    const like = all.filter((file) => file.includes(path.split("/").at(-1) ?? "")).slice(0, 3);
    throw new StepFailed(
      `no test lies under ${given}; ${like.length > 0 ? `did you mean ${like.join(", ")}?` : "give a path such as tests/core"}`,
    );
  });
}

function isUnder(file, path) {
  return (
    file === path || file.startsWith(`${path}/`) || file === `${path}.test.ts` || file === `${path}.test.tsx`
  );
}

function walk(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return walk(path);
    return /\.test\.tsx?$/.test(entry.name) ? [path] : [];
  });
}
