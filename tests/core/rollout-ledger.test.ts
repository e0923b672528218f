/** What of a trial is recorded, where the mesh answers late, not at all, or otherwise than was thought. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { MeshLedger } from "../../client/model/mesh-ledger.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse } from "../../protocol/refusal.ts";

/** A registry of one model whose aliases move; away for as many questions as it is told. */
function registry() {
  const state = { aliases: new Map<string, number>(), moves: [] as string[], away: 0, refusal: "" };
  const isAway = () => state.away > 0 && state.away-- > 0;
  const away = () => refuse("unavailable", "no coordinator answers");
  const query = (name: string, body: { readonly alias?: string; readonly version?: number }) => {
    if (isAway()) return Promise.resolve(away());
    if (name === "model")
      return Promise.resolve(
        accept({ aliases: [...state.aliases].map(([alias, version]) => ({ alias, version })) }),
      );
    const from = state.aliases.get(body.alias ?? "") ?? null;
    if (state.refusal !== "") return Promise.resolve(refuse("unknown", state.refusal));
    if (from === body.version) return Promise.resolve(refuse("conflict", "it is already there"));
    return Promise.resolve(accept({ model: "trec", version: body.version, artifact: "", from, why: "" }));
  };
  const command = (
    _: string,
    body: { readonly alias: string; readonly version: number; readonly why: string },
  ) => {
    if (isAway()) return Promise.resolve(away());
    state.aliases.set(body.alias, body.version);
    state.moves.push(`${body.alias} ${body.version}: ${body.why}`);
    return Promise.resolve(accept({ model: "trec", ...body, from: null }));
  };
  const said: string[] = [];
  const ledger = new MeshLedger({
    client: { query, command } as unknown as MeshClient,
    check: () => Promise.resolve(accept({ answer: "it answers" })),
    say: (line) => void said.push(line),
    wait: () => new Promise((resolve) => void setImmediate(resolve)),
  });
  return { ledger, said, state };
}

const turns = async (count: number) => {
  for (let at = 0; at < count; at++) await new Promise((resolve) => void setImmediate(resolve));
};
const begun = { model: "trec", version: 8, why: "takes 10%" };
const back = { model: "trec", version: 7, why: "taken back: it failed" };

describe("ROLL-8: what happens to a canary is recorded", () => {
  test("in order, once each, however long the mesh is away, and it is said once that it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 30 }), async (away) => {
        const { ledger, said, state } = registry();
        state.away = away;
        ledger.begun(begun);
        ledger.takenBack(back);
        await turns(2 * away + 20);
        assert.deepEqual(state.moves, ["canary 8: takes 10%", "canary 7: taken back: it failed"]);
        assert.ok(said.length <= 2, said.join("\n"));
        await ledger.end();
      }),
      { numRuns: 40 },
    );
  });

  test("the end of the server waits for no mesh", async () => {
    const { ledger, state } = registry();
    state.away = Infinity;
    ledger.begun(begun);
    ledger.takenBack(back);
    await ledger.end();
    assert.deepEqual(state.moves, []);
  });

  test("what is refused is said and not tried again; what is there already is no fault", async () => {
    const { ledger, said, state } = registry();
    state.refusal = "there is no model trec";
    ledger.begun(begun);
    await turns(10);
    assert.deepEqual([said.length, state.moves], [1, []]);
    assert.match(said[0] ?? "", /trec@canary was not moved to version 8: there is no model trec/);
    const other = registry();
    other.state.aliases.set("canary", 8);
    other.ledger.begun(begun);
    await turns(10);
    assert.deepEqual([other.said, other.state.moves], [[], []]);
  });

  test("who moves the alias elsewhere is noticed once the begin is recorded, and not after it was taken back here", async () => {
    const { ledger, state } = registry();
    state.aliases.set("canary", 3);
    assert.equal(await ledger.movedTo("trec", 8), null);
    ledger.begun(begun);
    await turns(10);
    assert.equal(await ledger.movedTo("trec", 8), null);
    state.away = 1;
    assert.equal(await ledger.movedTo("trec", 8), null);
    state.aliases.set("canary", 5);
    assert.equal(await ledger.movedTo("trec", 8), 5);
    ledger.takenBack(back);
    assert.equal(await ledger.movedTo("trec", 8), null);
    await ledger.end();
  });

  test("a reason of any length fits its record, and a name alone is its champion", async () => {
    const { ledger, state } = registry();
    ledger.begun({ ...begun, why: "x".repeat(5_000) });
    await turns(10);
    assert.ok((state.moves[0]?.length ?? 0) <= 510);
    assert.deepEqual(
      ["trec", "trec@staging", "trec@7"].map((reference) => ledger.aliasOf(reference)),
      ["champion", "staging", null],
    );
    assert.equal(await ledger.promoted({ ...begun, alias: "champion" }), true);
    assert.equal(state.aliases.get("champion"), 8);
  });
});
