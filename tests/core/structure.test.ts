/** The layout's rules, on sources made up for each, and on the project as it stands. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import { projectFolder } from "../../training/version/code-version.ts";

interface Import {
  readonly from: string;
  readonly to: string;
}

interface Structure {
  sourceFiles(): readonly string[];
  readImports(files: readonly string[], read?: (file: string) => string): readonly Import[];
  structureFaults(files: readonly string[], imports: readonly Import[]): readonly string[];
}

const load = async <T>(script: string): Promise<T> =>
  (await import(pathToFileURL(join(projectFolder, "scripts", script)).href)) as T;
const structure = await load<Structure>("structure.mjs");
const { rooms } = await load<{ readonly rooms: readonly string[] }>("source-folder.mjs");

/** The faults of a tree given as file → text. */
function faultsOf(tree: Readonly<Record<string, string>>): readonly string[] {
  const files = Object.keys(tree);
  return structure.structureFaults(
    files,
    structure.readImports(files, (file) => tree[file] ?? ""),
  );
}

test("HOUSE-1: of two rooms the higher may import the lower, and never the other way", () => {
  const room = fc.nat({ max: rooms.length - 1 });
  fc.assert(
    fc.property(room, room, (a, b) => {
      const tree = {
        [`${rooms[a]}/one.ts`]: `import { two } from "../${rooms[b]}/inner/two.ts";\n`,
        [`${rooms[b]}/inner/two.ts`]: "export const two = 2;\n",
      };
      const faults = faultsOf(tree);
      if (b <= a) assert.deepEqual(faults, []);
      else assert.match(faults.join("\n"), /^HOUSE-1: \S+one\.ts imports \S+two\.ts/);
    }),
  );
});

test("HOUSE-1: an import is seen in every form it takes", () => {
  for (const line of [
    'import type { B } from "../client/b.ts";',
    'import "../client/b.ts";',
    'export { b } from "../client/b.ts";',
    'const b = await import("../client/b.ts");',
    'const b = await import(\n  "../client/b.ts"\n);',
    'import {\n  one,\n  two,\n} from "../client/b.js";',
  ])
    assert.equal(faultsOf({ "data/a.ts": line, "client/b.ts": "" }).length, 1, line);
});

test("HOUSE-2: folders of one room that import each other, or in a circle, are named with the imports", () => {
  const line = (to: string) => `import { x } from "../${to}/${to}-x.ts";\n`;
  const circle = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name, at) => [`data/${name}/${name}-x.ts`, line(names[(at + 1) % names.length] ?? "")]),
    );
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 6 }), (size) => {
      const names = Array.from({ length: size }, (_, at) => `room${at}`);
      assert.match(faultsOf(circle(names)).join("\n"), /^HOUSE-2: data\/room0 and .* import each other: /);
      const chain = { ...circle(names), [`data/room${size - 1}/room${size - 1}-x.ts`]: "" };
      assert.deepEqual(faultsOf(chain), []);
    }),
  );
  assert.equal(
    faultsOf({
      "data/a.ts": 'import { b } from "./inner/b.ts";',
      "data/inner/b.ts": 'import { a } from "../a.ts";',
    }).length,
    1,
    "a folder and the one it lies in",
  );
});

test("HOUSE-3: two sources of one name are told, but for benches and commands", () => {
  assert.match(
    faultsOf({ "data/plan/step.ts": "", "agent/core/step.ts": "" }).join(),
    /HOUSE-3: .*share a name/,
  );
  assert.deepEqual(faultsOf({ "bench/runner.ts": "", "agent/runner/runner.ts": "" }), []);
  assert.deepEqual(faultsOf({ "cli/command/revoke.ts": "", "mesh/revoke.ts": "" }), []);
});

test("HOUSE-4: a source outside the rooms is told", () => {
  assert.match(faultsOf({ "utils/helper.ts": "" }).join(), /HOUSE-4: utils\/helper\.ts lies in no room/);
});

test("FORMAT-1: a policy that `apply` reaches on whatever way is told, and so is one in the rooms beside it", () => {
  const reached = faultsOf({
    "coordinator/core/apply.ts": 'import { one } from "./one.ts";',
    "coordinator/core/one.ts": 'import { two } from "../state/two.ts";',
    "coordinator/state/two.ts": 'import type { Three } from "../../search/three.ts";',
    "search/three.ts": 'import { serve } from "./stopping/serve.ts";',
    "search/stopping/serve.ts": "",
  });
  assert.match(
    reached.join(),
    /FORMAT-1: coordinator\/core\/apply\.ts -> .* -> search\/stopping\/serve\.ts:/,
  );
  const beside = faultsOf({
    "coordinator/journal/lift.ts": 'import { serve } from "../queue/serve.ts";',
    "coordinator/queue/serve.ts": "",
  });
  assert.match(beside.join(), /FORMAT-1: coordinator\/journal\/lift\.ts -> coordinator\/queue\/serve\.ts:/);
  const decides = {
    "coordinator/core/decide.ts": 'import { serve } from "../queue/serve.ts";',
    "coordinator/queue/serve.ts": "",
  };
  assert.deepEqual(faultsOf(decides), []);
});

test("FORMAT-5: what is stored has nothing of the wire", () => {
  const tree = {
    "coordinator/format/event.ts": 'import { sweep } from "../../protocol/sweep.ts";',
    "protocol/sweep.ts": "",
  };
  assert.match(faultsOf(tree).join(), /FORMAT-5: coordinator\/format\/event\.ts imports protocol\/sweep\.ts/);
});

test("the project holds its own layout", () => {
  const files = structure.sourceFiles();
  assert.ok(files.length > 500, `only ${files.length} files were found`);
  assert.deepEqual(structure.structureFaults(files, structure.readImports(files)), []);
});
