// The whole terminal interface without a terminal: keys in, text out, against a fake mesh on a virtual clock.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accept, refuse } from "../../protocol/refusal.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { driveScreen, type DrivenScreen } from "../support/tui-screen.ts";
import { estimateFixture } from "../support/why-fixture.ts";

describe("launching a sweep", () => {
  it("opens the form, shows what is wrong while it is typed, submits, and jumps to the running sweep", async () => {
    const screen = await driveScreen();
    await screen.press("n");
    assert.match(screen.text(), /examples\/language-id\.yaml \(1\/2/);
    assert.match(screen.text(), /24 trials, 2 of 3 agents can run it/);

    await screen.press("right");
    assert.match(screen.text(), /examples\/trec\.yaml \(2\/2/);
    await screen.press("left", "down", "backspace", "backspace");
    await screen.type("x");
    assert.match(screen.text(), /trials is "x": a whole number of at least 1 is right/);
    await screen.press("enter");
    assert.equal(screen.mesh.sent.length, 0, "a draft with a problem is not sent");

    await screen.press("backspace");
    await screen.type("12");
    await screen.press("enter");
    assert.deepEqual(
      screen.mesh.sent.map((each) => each.name),
      ["launch"],
    );
    assert.match(screen.text(), /s1 is submitted/);
    assert.match(screen.text(), /\[2 Sweeps\]/);
    await screen.clock.advance(1_000);
    assert.match(screen.text(), /0% of 12 trials/);
    for (let second = 0; second < 6; second++) {
      screen.mesh.advance();
      await screen.clock.advance(1_000);
    }
    assert.match(screen.text(), /[1-9]\d*% of 12 trials/);
    assert.match(screen.text(), /best +macroF1 0\.\d+ by s1-\d+/);
  });

  it("submits by itself when enter came before the check was done", async () => {
    const screen = await driveScreen();
    await screen.press("n", "down");
    screen.store.press("backspace");
    screen.store.press("enter");
    assert.equal(screen.mesh.sent.length, 0);
    await screen.clock.advance(500);
    assert.equal(screen.mesh.sent.length, 1);
  });

  it("leaves by esc without sending anything", async () => {
    const screen = await driveScreen();
    await screen.press("n", "escape");
    assert.match(screen.text(), /\[1 Mesh\]/);
    assert.equal(screen.mesh.sent.length, 0);
  });
});

describe("the launch form", () => {
  it("says what the sweep will cost before it is launched", async () => {
    const screen = await driveScreen();
    await screen.press("n");
    assert.match(screen.text(), /24 trials will cost about 60\.0 tokens \(20\.0 to 180\.0/);
    assert.equal(screen.mesh.sent.length, 0);
  });

  it("asks anew when the draft has changed, and does not show the old estimate meanwhile", async () => {
    const mesh = openFakeMesh();
    let cost = 60_000;
    const launcher = {
      ...mesh.launcher,
      estimate: async () => accept(estimateFixture({ sentence: `about ${cost / 1000} tokens` })),
    };
    const screen = await driveScreen({ mesh: { ...mesh, launcher } });
    await screen.press("n");
    assert.match(screen.text(), /about 60 tokens/);
    cost = 30_000;
    screen.store.press("down");
    screen.store.press("backspace");
    assert.doesNotMatch(screen.text(), /about 60 tokens/);
    await screen.clock.advance(500);
    assert.match(screen.text(), /about 30 tokens/);
  });

  it("offers to launch beyond the budget what does not fit it", async () => {
    const mesh = openFakeMesh();
    const dear = estimateFixture({
      fits: false,
      sentence: "it costs 60.0 tokens, and there are 1.00 to spend",
    });
    const launcher = { ...mesh.launcher, estimate: async () => accept(dear) };
    const screen = await driveScreen({ mesh: { ...mesh, launcher } });
    await screen.press("n");
    assert.match(screen.text(), /there are 1\.00 to spend; ctrl\+b launches it nevertheless/);
    await screen.press("ctrl+b");
    assert.match(screen.text(), /it will pause for grants/);
    assert.match(screen.text(), /trialmesh sweep run .* --beyond-budget/);
    await screen.press("enter");
    assert.deepEqual(screen.mesh.sent.at(-1)?.body, {
      file: "examples/language-id.yaml",
      trials: "24",
      seed: "",
      models: "linear, fasttext, textcnn",
      max: "",
      budget: "",
      beyondBudget: true,
    });
  });

  it("can launch though the cost cannot be said", async () => {
    const mesh = openFakeMesh();
    const launcher = { ...mesh.launcher, estimate: async () => refuse("unavailable", "no leader answers") };
    const screen = await driveScreen({ mesh: { ...mesh, launcher } });
    await screen.press("n");
    assert.match(screen.text(), /what it costs cannot be said: no leader answers/);
    await screen.press("enter");
    assert.match(screen.text(), /s1 is submitted/);
  });
});

describe("place and money", () => {
  async function withSweep(screen: string): Promise<DrivenScreen> {
    const mesh = openFakeMesh();
    await mesh.launcher.submit({ file: "a.yaml", trials: "9", seed: "", models: "", max: "", budget: "" });
    mesh.advance();
    return driveScreen({ mesh, startWith: { screen, sweep: "s1" } });
  }

  it("y says why the selected sweep does not get on, model by model, and again takes it away", async () => {
    const screen = await withSweep("sweeps");
    await screen.press("y");
    assert.match(screen.text(), /Why s1 does not get on/);
    assert.match(screen.text(), /in about 4 min/);
    assert.match(screen.text(), /textcnn {2}3 queued, 0 running/);
    assert.match(screen.text(), /does not attic: no gpu/);
    await screen.press("Y");
    assert.deepEqual(screen.copied, ["trialmesh sweep why s1"]);
    await screen.press("escape", "y");
    assert.doesNotMatch(screen.text(), /Why s1 does not get on/);
  });

  it("p pauses the selected sweep, gently or at once, and lets a paused one go on", async () => {
    const screen = await withSweep("sweeps");
    await screen.press("p", "right");
    assert.match(screen.text(), /trialmesh sweep pause s1 --now/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), { name: "sweep-pause", body: { sweep: "s1", now: true } });
    await screen.press("p");
    assert.match(screen.text(), /trialmesh sweep resume s1/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), { name: "sweep-resume", body: { sweep: "s1" } });
  });

  it("x stops the selected trial on the trials' screen, and its sweep goes on", async () => {
    const screen = await withSweep("trials");
    await screen.press("x");
    assert.match(screen.text(), /trialmesh trial stop s1-\d+/);
    await screen.press("escape");
    assert.equal(
      screen.mesh.sent.some(({ name }) => name === "trial-stop"),
      false,
    );
  });

  it("P and W ask before they change a sweep's place", async () => {
    const screen = await withSweep("sweeps");
    await screen.press("P");
    assert.match(screen.text(), /trialmesh sweep tune s1 --priority 10/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), { name: "sweep-tune", body: { sweep: "s1", priority: 10 } });
    await screen.press("W", "right", "y");
    assert.deepEqual(screen.mesh.sent.at(-1), { name: "sweep-tune", body: { sweep: "s1", weight: 4 } });
  });

  it("the account's refill, limit and place stand above its statement", async () => {
    const screen = await withSweep("budgets");
    assert.match(screen.text(), /123 posted, 8\.00 held, 369 left/);
    assert.match(screen.text(), /refill +50 every 1 d up to 600, next in about 60 min/);
    assert.match(screen.text(), /per sweep +at most 200/);
    assert.match(screen.text(), /turn +2 of 2, after bo, weight 1/);
    assert.match(screen.text(), /reserve +8\.00 +369 .*██▒░░░░░░░/);
  });

  it("a grants and W weighs the selected account, with the exact change first", async () => {
    const screen = await withSweep("budgets");
    await screen.press("a", "right");
    assert.match(screen.text(), /available: 369 -> 869/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), {
      name: "budget-grant",
      body: { requester: "ada", amount: 500_000, note: "" },
    });
    await screen.press("j", "W");
    assert.match(screen.text(), /bo: weight 3 -> 2/);
    await screen.press("n");
    assert.equal(screen.mesh.sent.length, 2, "a launch and a grant");
  });

  it("c cordons the selected agent and u takes it back", async () => {
    const screen = await withSweep("mesh");
    await screen.press("c");
    assert.match(screen.text(), /What runs there \(\d\) goes on to its end/);
    await screen.press("y", "u", "y");
    assert.deepEqual(screen.mesh.sent.slice(-2), [
      { name: "agent-cordon", body: { agent: "attic", cordon: true } },
      { name: "agent-cordon", body: { agent: "attic", cordon: false } },
    ]);
  });
});

describe("an agent", () => {
  it("shows its owner's availability, what stands still for it, and speeds that trials did not bear out", async () => {
    const mesh = openFakeMesh();
    mesh.changeAgent("attic", {
      owner: { stance: "suspended", reason: "the owner is here", idleSource: "logind", idleMs: 3_000 },
      measured: [{ kind: "text-classification/linear", claimed: 40, trusted: 4.1, attempts: 12 }],
      running: [
        {
          fence: 7,
          trial: "s1-1",
          sweep: "s1",
          requester: "ada",
          model: "linear",
          backend: "sparse",
          resource: 1,
          target: 3,
          usedMs: 2_000,
          suspended: true,
        },
      ],
    });
    const screen = await driveScreen({ mesh, size: { columns: 200, rows: 40 } });
    assert.match(screen.text(), /availability +suspended/);
    assert.match(screen.text(), /the owner is here/);
    assert.match(screen.text(), /last input 3 s ago, by logind/);
    assert.match(screen.text(), /‖ s1-1 .* suspended, linear/);
    assert.match(screen.text(), /measured +text-classification\/linear: claims 40, measured 4\.10 /);
  });
});

describe("a lost connection", () => {
  it("is a mode: the data stays with its age, keys still work, and it recovers by itself", async () => {
    const screen = await driveScreen();
    assert.match(screen.text(), /live ada/);
    screen.mesh.setStatus("disconnected");
    await screen.clock.advance(12_000);
    assert.match(screen.text(), /DISCONNECTED, data 1[12] s old/);
    assert.match(screen.text(), /attic/);
    const dim = screen.store.frame().lines.slice(2, -1).flat();
    assert.ok(
      dim.every((each) => each.tone === "dim" || each.text.trim() === ""),
      "what is frozen is drawn dim",
    );
    await screen.press("j");
    assert.match(screen.text(), /▸ desk/);
    assert.equal(screen.left(), false);

    screen.mesh.setStatus("connected");
    await screen.clock.advance(1_000);
    assert.match(screen.text(), /live ada/);
    assert.doesNotMatch(screen.text(), /DISCONNECTED/);
  });

  it("asks nothing while the server is away", async () => {
    const screen = await driveScreen();
    screen.mesh.setStatus("disconnected");
    await screen.clock.advance(1_000);
    const before = screen.mesh.asked.length;
    await screen.clock.advance(10_000);
    assert.equal(screen.mesh.asked.length, before);
  });

  it("says so when the server answers but no coordinator does", async () => {
    const screen = await driveScreen();
    screen.mesh.setSilent(true);
    await screen.clock.advance(9_000);
    assert.match(screen.text(), /NO COORDINATOR ANSWERS, data [89] s old/);
    screen.mesh.setSilent(false);
    await screen.clock.advance(1_000);
    assert.match(screen.text(), /live ada/);
  });

  it("before the first answer there is no data, and that is said", async () => {
    const mesh = openFakeMesh();
    mesh.setStatus("disconnected");
    const screen = await driveScreen({ mesh });
    assert.match(screen.text(), /DISCONNECTED, no data yet/);
    mesh.setStatus("connected");
    await screen.clock.advance(1_000);
    assert.match(screen.text(), /attic/);
  });
});

describe("polling", () => {
  it("asks only for what is visible", async () => {
    const screen = await driveScreen();
    await screen.press("7");
    const before = screen.mesh.asked.length;
    await screen.clock.advance(2_000);
    assert.deepEqual([...new Set(screen.mesh.asked.slice(before))].toSorted(), ["events", "mesh"]);
  });

  it("never has two requests for the same thing under way, however long an answer takes", async () => {
    const screen = await driveScreen();
    screen.mesh.setSilent(true);
    await screen.clock.advance(20_000);
    await screen.press("2", "1", "2", "1");
    screen.mesh.setSilent(false);
    await screen.clock.advance(1_000);
    assert.equal(screen.mesh.overlapMax(), 1);
  });

  it("gives no new frame while nothing visible changes", async () => {
    const screen = await driveScreen();
    await screen.press("4");
    // The strip's sparkline fills for its first minute; after that nothing moves.
    await screen.clock.advance(90_000);
    let frames = 0;
    screen.store.subscribe(() => {
      frames += 1;
    });
    await screen.clock.advance(30_000);
    assert.equal(frames, 0);
  });
});

describe("datasets", () => {
  it("TUI-DATASET-1: shows versions, whether the check holds and by which rows not, and what was trained", async () => {
    const screen = await driveScreen();
    await screen.press("5");
    await screen.clock.advance(3_000);
    const text = screen.text();
    assert.match(text, /reviews +1 +1000 +1 failed/u);
    assert.match(text, /800 train, 100 validation, 100 test/u);
    assert.match(text, /s1 \(language-id@1\)/u);
    assert.match(text, /no-conflicts: train\.txt:7/u);
    await screen.press("tab", "Y");
    assert.match(screen.text(), /trialmesh dataset profile reviews@1/u);
  });
});

describe("the registry", () => {
  it("TUI-REGISTRY-1: shows tags, the note, and which version was removed by whom; that one is not promoted", async () => {
    const screen = await driveScreen();
    await screen.press("4", "j");
    await screen.clock.advance(3_000);
    const text = screen.text();
    assert.match(text, /tags +production\s/u);
    assert.match(text, /note +asked in English/u);
    assert.match(text, /@1 +removed/u);
    await screen.press("tab", "j");
    await screen.clock.advance(3_000);
    assert.match(screen.text(), /removed +by ada: learnt the test rows/u);
    await screen.press("p");
    assert.match(screen.text(), /question-type@1 was removed by ada/u);
    assert.equal(screen.mesh.sent.length, 0);
  });
});

describe("deployments", () => {
  it("TUI-DEPLOY-1: shows under a model what the mesh answers with of it: state, replicas, where, requests, cost", async () => {
    const screen = await driveScreen();
    await screen.press("4");
    await screen.clock.advance(3_000);
    const text = screen.text();
    assert.match(text, /answers short 1\/2 replicas, language-id@champion is @2, revision 3/u);
    assert.match(text, /cost +7\.2k tokens an hour, 91 spent/u);
    assert.match(text, /desk +ready, revision 3, 120 requests, 1 failed/u);
    assert.match(text, /attic +starting, revision -, 0 requests/u);
    await screen.press("j");
    await screen.clock.advance(3_000);
    assert.doesNotMatch(screen.text(), /an hour/u);
  });
});

describe("changes to the registry", () => {
  it("are shown exactly, made on y, and taken back by u", async () => {
    const screen = await driveScreen();
    await screen.press("4", "tab", "j", "p");
    assert.match(screen.text(), /champion: language-id@2 -> language-id@1/);
    assert.match(screen.text(), /macroF1: 0\.9000 -> 0\.8900/);
    assert.equal(screen.mesh.sent.length, 0);
    await screen.press("y");
    const why = "from the terminal interface";
    assert.deepEqual(screen.mesh.sent.at(-1), {
      name: "model-promote",
      body: {
        model: "language-id",
        version: 1,
        alias: "champion",
        why,
        expect: { from: 2, version: 1 },
      },
    });
    assert.match(screen.text(), /champion is now language-id@1; u takes it back/);
    await screen.press("u");
    assert.match(screen.text(), /champion: language-id@1 -> language-id@2/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), {
      name: "model-promote",
      body: {
        model: "language-id",
        version: 2,
        alias: "champion",
        why,
        expect: { from: 1, version: 2 },
      },
    });
  });

  it("are not made for a version that cannot serve, and that is said", async () => {
    const checkVersion = async () => refuse("conflict", "language-id@1 cannot be used: its bytes are gone");
    const screen = await driveScreen({ checkVersion });
    await screen.press("4", "tab", "j", "p", "y");
    assert.match(screen.text(), /language-id@1 cannot be used: its bytes are gone/);
    assert.equal(screen.mesh.sent.length, 0);
  });

  it("leave everything as it is on n", async () => {
    const screen = await driveScreen();
    await screen.press("4", "b");
    assert.match(screen.text(), /Roll champion back to language-id@1/);
    await screen.press("n");
    assert.match(screen.text(), /nothing was changed/);
    assert.equal(screen.mesh.sent.length, 0);
  });

  it("are not to be had in a read-only session, nor can R unlock a forced one", async () => {
    const screen = await driveScreen({ readOnly: true });
    await screen.press("4", "tab", "j", "p");
    assert.match(screen.text(), /read-only/);
    await screen.press("R");
    assert.match(screen.text(), /this credential may only look/);
    await screen.press("n", "p", "b");
    assert.equal(screen.mesh.sent.length, 0);
    assert.doesNotMatch(screen.text(), /Launch a sweep/);
  });
});

describe("the rest of the keys", () => {
  it("the pages of models and of datasets say who holds a version", async () => {
    const screen = await driveScreen();
    await screen.press("4");
    assert.match(screen.text(), /held by +attic, desk, the mesh's store/);
    await screen.press("5");
    assert.match(screen.text(), /held by +attic, desk, the mesh's store/);
  });

  it("Y shows and copies the command line that does the same", async () => {
    const screen = await driveScreen();
    await screen.press("4", "tab", "Y");
    assert.deepEqual(screen.copied, ["trialmesh model lineage language-id@2"]);
    assert.match(screen.text(), /trialmesh model lineage language-id@2/);
  });

  it("/ filters as it is typed, esc gives back what was, enter keeps it", async () => {
    const screen = await driveScreen();
    await screen.press("/");
    await screen.type("state:closed");
    assert.match(screen.text(), /laptop/);
    assert.doesNotMatch(screen.text(), /attic/);
    await screen.press("escape");
    assert.match(screen.text(), /attic/);
    await screen.press("/");
    await screen.type("desk");
    await screen.press("enter");
    assert.match(screen.text(), /Agents 1\/1/);
    await screen.press("escape");
    assert.match(screen.text(), /Agents 1\/3/);
  });

  it("the palette runs a command by its name", async () => {
    const screen = await driveScreen();
    await screen.press("ctrl+p");
    await screen.type("registry");
    await screen.press("enter");
    assert.match(screen.text(), /\[4 Registry\]/);
  });

  it("w says why a trial waits", async () => {
    const mesh = openFakeMesh();
    const started = await mesh.launcher.submit({
      file: "a.yaml",
      trials: "6",
      seed: "",
      models: "",
      max: "",
      budget: "",
    });
    assert.ok(started.ok);
    const screen = await driveScreen({ mesh, startWith: { sweep: "s1" } });
    await screen.press("w");
    assert.match(screen.text(), /It waits for a free slot/);
    await screen.press("L");
    assert.match(screen.text(), /epoch 1: loss 0\.71/, "escape sequences of a log do not reach the screen");
  });

  it("q leaves", async () => {
    const screen = await driveScreen();
    await screen.press("q");
    assert.equal(screen.left(), true);
  });
});
