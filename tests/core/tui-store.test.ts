// The whole terminal interface without a terminal: keys in, text out, against a fake mesh on a virtual clock.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refuse } from "../../protocol/refusal.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { driveScreen } from "../support/tui-screen.ts";

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
      body: { model: "language-id", version: 1, alias: "champion", why },
    });
    assert.match(screen.text(), /champion is now language-id@1; u takes it back/);
    await screen.press("u");
    assert.match(screen.text(), /champion: language-id@1 -> language-id@2/);
    await screen.press("y");
    assert.deepEqual(screen.mesh.sent.at(-1), {
      name: "model-rollback",
      body: { model: "language-id", alias: "champion", to: 2, why },
    });
  });

  it("are not made for a version that cannot serve, and that is said", async () => {
    const checkVersion = async () => refuse("conflict", "language-id@1 cannot be used: its bytes are gone");
    const screen = await driveScreen({ checkVersion });
    await screen.press("4", "tab", "j", "p", "y");
    assert.match(screen.text(), /nothing was changed: language-id@1 cannot be used: its bytes are gone/);
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
    assert.match(screen.text(), /epoch 1: \[31mloss\[0m 0\.71/, "escape sequences in a log are defused");
  });

  it("q leaves", async () => {
    const screen = await driveScreen();
    await screen.press("q");
    assert.equal(screen.left(), true);
  });
});
