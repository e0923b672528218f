/** Where an artifact lies, in one line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { holdersSentence } from "../../text/holders.ts";

const told = (agents: number, bringing: number, inStore: boolean) =>
  holdersSentence({
    digest: "0".repeat(64),
    agents: Array.from({ length: agents }, (_, n) => `box-${n}`),
    bringing: Array.from({ length: bringing }, (_, n) => `new-${n}`),
    inStore,
  });

test("some are named, the others counted, the mesh's store last", () => {
  assert.equal(told(0, 0, false), "nobody who is present");
  assert.equal(told(0, 0, true), "the mesh's store");
  assert.equal(told(2, 0, true), "box-0, box-1, the mesh's store");
  assert.equal(told(9, 0, false), "box-0, box-1, box-2, box-3, 5 more");
  assert.equal(told(1, 2, false), "box-0; being brought by new-0, new-1");
});
