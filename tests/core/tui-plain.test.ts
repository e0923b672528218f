// Without a terminal: plain lines, one for each change, and an end when the sweep has ended.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runPlain } from "../../tui/plain.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

async function started(trials: string) {
  const mesh = openFakeMesh();
  await mesh.launcher.submit({ file: "a.yaml", trials, seed: "", models: "", max: "", budget: "" });
  const clock = new VirtualClock();
  const abort = new AbortController();
  const printed: string[] = [];
  const stdout = { write: (text: string) => printed.push(text) };
  return { mesh, clock, abort, printed, stdout };
}

describe("plain progress", () => {
  it("says each change once, and ends with the sweep", async () => {
    const { mesh, clock, abort, printed, stdout } = await started("5");
    const run = runPlain({ client: mesh.client, stdout, signal: abort.signal, until: "s1", clock });
    await clock.advance(5_500);
    const quiet = printed.length;
    assert.deepEqual(
      printed.filter((each) => each.startsWith("agent")).length,
      3,
      "each agent is named once",
    );
    await clock.advance(5_000);
    assert.equal(printed.length, quiet, "no line while nothing changes");
    for (let step = 0; step < 12; step++) {
      mesh.advance();
      await clock.advance(1_000);
    }
    const ended = await clock.settle(run, 10_000);
    assert.equal(ended?.state, "done");
    assert.match(
      printed.at(-1) ?? "",
      /^s1 a: 5\/5 trials, .*best macroF1 0\.\d+ \(s1-\d \w+\), .* tokens, done\n$/,
    );
    assert.ok(printed.every((each) => !each.includes("\u001b") && each.endsWith("\n")));
  });

  it("ends on the signal", async () => {
    const { mesh, clock, abort, stdout } = await started("5");
    const run = runPlain({ client: mesh.client, stdout, signal: abort.signal, clock });
    await clock.advance(2_500);
    abort.abort();
    assert.equal(await clock.settle(run, 2_000), null);
  });
});
