/** Inputs of the kind "output" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases, type CasePlace, type Expectation } from "../support/case-place.ts";
import { obeyed } from "../support/hostile-value.ts";

const completed =
  (value: string): Expectation =>
  async (place) => {
    const { all, code } = await place.run();
    assert.match(all, new RegExp(`trial 1: completed ${value}`));
    assert.match(all, /1 trial: 1 completed/);
    assert.equal(code, 0);
  };

/** What was said without the colours of our own: nothing of it is obeyed by a terminal. */
async function saysNothingObeyed(place: CasePlace): Promise<string> {
  const lines = place.case.run.replaceAll(" | cat -v", "");
  const { all } = await place.run(lines);
  assert.doesNotMatch(all, obeyed);
  return all;
}

const inTime: Expectation = async (place) => {
  const startedAt = performance.now();
  const { all } = await place.run();
  assert.match(all, /trial 1: (completed 8|failed .*took longer than 2 s over one line)/);
  assert.ok(performance.now() - startedAt < 30_000);
};

testCases("output", {
  "escapes-local": async (place) => {
    const all = await saysNothingObeyed(place);
    assert.match(all, /trial 1: completed 0\.5/);
    assert.match(all, /trial 2: failed \(ended with code 4: out of disk !\)/);
    assert.match(
      all,
      /trial 3: failed \(it reported "sc\\u001b\[31more", which differs from its objective "score"/,
    );
  },
  "escapes-mesh": async (place) => {
    const all = await saysNothingObeyed(place);
    assert.match(all, /here done/);
    assert.match(all, /abc {2}desrever/);
    assert.match(all, /out of disk !/);
  },
  "escapes-parameters": async (place) => {
    // Its command passes no parameter, which is refused unless the file says that the program needs none.
    assert.match(await saysNothingObeyed(place), /no word of it passes a parameter/);
    await place.run("echo 'reads: environment' >> escapes-names.yaml");
    const all = await saysNothingObeyed(place);
    assert.match(all, /"a\\u001b\]2;renamed\\u0007b"="x\\u001b\[31m"/);
    assert.match(all, /2 trials: 2 completed/);
  },
  "json-long": completed("0\\.75"),
  "mlflow-children": async (place) => {
    const { all, code } = await place.run();
    assert.equal(code, 0, all);
    assert.match(all, /score 0\.75/);
    assert.match(all, /fold-2\/score 0\.45/);
  },
  "name-accent": completed("0\\.75"),
  "name-at-colon": completed("0\\.75"),
  "name-bracket": completed("0\\.75"),
  "name-json": completed("0\\.75"),
  "name-nearly": async (place) => {
    const { all } = await place.run();
    assert.match(all, /4 trials: 4 failed/);
    const differ = {
      "dev_f1 ": "a space at its end",
      Dev_F1: "upper and lower case",
      "dev/f1": "signs",
      "dev-f1": "signs",
    };
    for (const [name, difference] of Object.entries(differ))
      assert.match(
        all,
        new RegExp(`it reported "${name}", which differs from its objective "dev_f1" .*${difference}`),
      );
  },
  "name-plus": completed("0\\.75"),
  "name-space": completed("0\\.75"),
  "pattern-nested": inTime,
  "pattern-words": inTime,
  "start-crlf": async (place) => {
    const { all } = await place.run();
    assert.match(
      all,
      /trial 1: failed \(the first line of "\.\/crlf\.sh" ends .*CRLF.*"\/bin\/sh\\r" is not found/,
    );
  },
  "start-no-interpreter": async (place) => {
    const { all } = await place.run();
    assert.match(
      all,
      /trial 1: failed \(.*"\.\/moved\.py" asks for "\/opt\/conda\/envs\/gone\/bin\/python", which this machine does not have/,
    );
  },
});
