/** Following a log, and how its lines look: each once, in order, to the end, whatever the mesh answers meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { followLogs } from "../../client/follow/follow-logs.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { runHere } from "../support/run-cli.ts";

const written = ["one", "two", "three", "\u001b[2Jfour"];
const at = Date.UTC(2026, 10, 30, 8, 0, 0, 123);

/** A trial that has written one line more with each question, and ends when all are; now and then nobody answers. */
function talking(dated: boolean, holds = true) {
  let asked = 0;
  const limits: number[] = [];
  const logs = ({ after = null, limit }: { after?: number | null; limit: number }): Outcome<unknown> => {
    asked++;
    limits.push(limit);
    if (asked % 3 === 0) return refuse("unavailable", "no coordinator answers");
    const all = written.slice(0, Math.min(written.length, asked));
    const lines = all
      .map((line, index) => ({ fence: 7, stream: index === 1 ? "err" : "out", line, position: index + 1 }))
      .filter(({ position }) => position > (after ?? 0))
      .map(({ fence, line, stream }, index) => ({
        fence,
        line,
        stream,
        ...(dated ? { at: at + index } : null),
      }));
    return accept(holds ? { lines, position: all.length } : { lines });
  };
  const client = {
    ...openFakeMesh().client,
    status: () => "connected",
    close: () => Promise.resolve(),
    query: (name: string, body: { after?: number | null; limit: number }) =>
      Promise.resolve(
        name === "logs" ? logs(body) : accept({ state: asked >= written.length ? "completed" : "running" }),
      ),
  } as unknown as MeshClient; // of its answers only these are asked for
  return { client, limits };
}

function connected(client: MeshClient): Connected {
  return { client, home: { mesh: "m", url: "nats://x", path: "/" }, bus: {} } as unknown as Connected; // only its client is asked
}

test("LOG-2: a followed log has each line once and in order, waits for a mesh that is away, and ends with its trial", async () => {
  const lines: string[] = [];
  const said: string[] = [];
  const { client, limits } = talking(true);
  const followed = await followLogs(
    client,
    "s1-1",
    50,
    ({ line }) => lines.push(line),
    (line) => said.push(line),
  );
  assert.deepEqual(followed, accept({ state: "completed" }));
  assert.deepEqual(lines, written);
  assert.deepEqual([limits[0], limits[1]], [50, 2000]);
  assert.ok(
    said.some((line) => line.includes("waiting for it")) &&
      said.some((line) => line.includes("answers again")),
  );
});

test("LOG-2: a coordinator of before is named instead of repeating itself", async () => {
  const { client } = talking(false, false);
  const followed = await followLogs(
    client,
    "s1-1",
    50,
    () => undefined,
    () => undefined,
  );
  assert.match(followed.ok ? "" : followed.refusal.message, /of a version that lets nobody follow/);
});

test("LOG-3: --times shows when each line came, in UTC, and nothing a terminal would obey, as text and as JSON lines", async () => {
  const run = (...words: string[]) =>
    runHere(["trial", "logs", "s1-1", ...words], {}, () =>
      Promise.resolve(accept(connected(talking(true).client))),
    );
  const followed = await run("-f", "--times");
  assert.equal(
    followed.out,
    [
      "2026-11-30T08:00:00.123Z 7 out | one",
      "2026-11-30T08:00:00.123Z 7 err | two",
      "2026-11-30T08:00:00.123Z 7 out | three",
      "2026-11-30T08:00:00.124Z 7 out | four",
      "",
    ].join("\n"),
  );
  assert.match(followed.err, /s1-1 has ended: completed/);
  const json = (await run("--follow", "--json")).out.trim().split("\n");
  assert.deepEqual(
    json.map((line) => (JSON.parse(line) as { line: string }).line),
    written,
  );
  assert.ok(!json.join("").includes("\u001b"));
  assert.equal((await run("--times")).out, "2026-11-30T08:00:00.123Z 7 out | one\n");
  assert.equal((await run()).out, "7 out | one\n");
});

test("LOG-3: a line without a time says so", async () => {
  const { out } = await runHere(["trial", "logs", "s1-1", "--times"], {}, () =>
    Promise.resolve(accept(connected(talking(false).client))),
  );
  assert.equal(out, "- 7 out | one\n");
});
