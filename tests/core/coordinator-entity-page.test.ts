// Entities on their pages: whatever is saved in whatever order, a load gives what was there at the last save.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entitiesIn, pageChanges } from "../../coordinator/projection/entity-page.ts";

type Step =
  | { readonly kind: "trial"; readonly number: number }
  | { readonly kind: "line" | "save"; readonly who: string };

const who = fc.constantFrom("ann", "bob");
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("trial" as const), number: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("line" as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("save" as const), who }) },
);

test("PROJECTION-1: what is loaded is what was saved, trial by trial and line by line in their order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const entities = new Map<string, unknown>([["meta", { epoch: 1 }]]);
      const dirty = new Set(["meta"]);
      const stored = new Map<string, unknown>();
      const lines = new Map<string, number>();
      const put = (key: string, value: unknown) => {
        entities.set(key, value);
        dirty.add(key);
      };
      const save = () => {
        const changes = pageChanges(dirty, (key) => entities.get(key));
        for (const [key, value] of changes.put) stored.set(key, structuredClone(value));
        for (const key of changes.remove) stored.delete(key);
        dirty.clear();
      };
      for (const [index, one] of steps.entries()) {
        if (one.kind === "trial") put(`trial/s2-${one.number}`, { trial: `s2-${one.number}`, index });
        else if (one.kind === "save") save();
        else {
          const number = (lines.get(one.who) ?? 0) + 1;
          lines.set(one.who, number);
          put(`ledger/${one.who}/${String(number).padStart(9, "0")}`, { who: one.who, number });
        }
      }
      save();
      const range = (prefix: string) =>
        [...stored].filter(([key]) => key.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const loaded = (prefix: string) => [...entitiesIn(range, prefix)].map(([, entity]) => entity);
      const expected = (prefix: string) =>
        [...entities].filter(([key]) => key.startsWith(prefix)).map(([, entity]) => entity);
      assert.deepEqual(new Set(loaded("trial/")), new Set(expected("trial/")));
      assert.equal(loaded("trial/").length, expected("trial/").length);
      for (const name of ["ann", "bob"])
        assert.deepEqual(
          loaded("ledger/").filter((line) => isOf(line, name)),
          expected(`ledger/${name}/`),
        );
      assert.deepEqual(loaded("meta"), [{ epoch: 1 }]);
    }),
    { numRuns: 60 },
  );
});

test("PROJECTION-1: an entity that is gone is gone from the store", () => {
  const { put, remove } = pageChanges(["sweep/s1", "agent/a"], (key) =>
    key === "agent/a" ? { agent: "a" } : undefined,
  );
  assert.deepEqual(put, [["agent/a", { agent: "a" }]]);
  assert.deepEqual(remove, ["sweep/s1"]);
});

function isOf(line: unknown, name: string): boolean {
  return typeof line === "object" && line !== null && "who" in line && line.who === name;
}
