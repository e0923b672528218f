/** Secrets of programs without a mesh: what is sealed opens for one agent and one requester alone, and what is said of a program has none in it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { openSecrets } from "../../agent/program/open-secrets.ts";
import { maskOf } from "../../agent/program/secret-mask.ts";
import type { RunnerEvent } from "../../agent/runner/runner.ts";
import { giveSecrets } from "../../client/secret/give-secrets.ts";
import { readSecrets, removeSecret, setSecret } from "../../client/secret/secret-file.ts";
import { agentSealKey } from "../../mesh/part/agent-seal-key.ts";
import { accept } from "../../protocol/refusal.ts";
import { newSealKey, seal, unseal } from "../../protocol/hpke.ts";
import { openSecret, sealSecret, secretNameText } from "../../protocol/secret.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { sweepSpec } from "../support/fold.ts";
import { fixtureCommand } from "../support/program-job.ts";
import { agentFixture, meshFixture } from "../support/view-fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-secret-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const base64url = (hex: string) => Buffer.from(hex, "hex").toString("base64url");

test("SECRET-1: it is sealed as RFC 9180 says, to the letter of its vector A.1.1", () => {
  const ephemeral = {
    privateKey: base64url("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"),
    publicKey: base64url("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
  };
  const own = {
    privateKey: base64url("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
    publicKey: base64url("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"),
  };
  const info = "Ode on a Grecian Urn";
  const plain = Buffer.from("Beauty is truth, truth beauty");
  const sealed = seal({ publicKey: own.publicKey, info, bound: "Count-0", plain }, ephemeral);
  assert.equal(
    Buffer.from(sealed, "base64url").subarray(32).toString("hex"),
    "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
  );
  assert.deepEqual(unseal(own, sealed, info, "Count-0"), plain);
});

describe("SECRET-2: it opens for the agent, the requester and the name it was sealed for", () => {
  const name = fc.constantFrom("HF_TOKEN", "KEY", "A");
  const who = fc.constantFrom("ada", "bob", 'a","b');

  test("and for nobody else, nor changed in a bit", () => {
    const [own, other] = [newSealKey(), newSealKey()];
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), name, who, fc.nat(), (value, secret, requester, at) => {
        const text = Buffer.from(value).toString();
        const sealed = sealSecret(own.publicKey, requester, secret, text);
        assert.equal(openSecret(own, requester, secret, sealed), text);
        assert.equal(openSecret(other, requester, secret, sealed), null);
        assert.equal(openSecret(own, `${requester}x`, secret, sealed), null);
        assert.equal(openSecret(own, requester, `${secret}X`, sealed), null);
        const bytes = Buffer.from(sealed, "base64url");
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ 1;
        assert.equal(openSecret(own, requester, secret, bytes.toString("base64url")), null);
        assert.equal(openSecret(own, requester, secret, sealed.slice(0, at % 20)), null);
      }),
      { numRuns: 20 },
    );
  });

  test("a program whose secret this agent cannot open is not started, and told which", () => {
    const key = newSealKey();
    const secrets = { TOKEN: { attic: sealSecret(key.publicKey, "ada", "TOKEN", "s3cret-value") } };
    const holder = { agent: "attic", key };
    const opened = openSecrets({ secrets }, "ada", holder);
    assert.deepEqual(opened, accept({ TOKEN: "s3cret-value" }));
    assert.deepEqual(openSecrets({}, undefined, null), accept({}));
    for (const refused of [
      openSecrets({ secrets }, "bob", holder),
      openSecrets({ secrets }, undefined, holder),
      openSecrets({ secrets }, "ada", null),
      openSecrets({ secrets }, "ada", { agent: "cellar", key }),
      openSecrets({ secrets }, "ada", { agent: "attic", key: newSealKey() }),
      openSecrets({ secrets: { TOKEN: {} } }, "ada", holder),
    ])
      assert.match(
        refused.ok ? "" : refused.refusal.message,
        /its secret TOKEN .* `trialmesh secret set TOKEN`/,
      );
  });

  test("an agent's key is made once, and readable by its owner alone", () => {
    const made = agentSealKey(folder);
    assert.deepEqual(agentSealKey(folder), made);
    assert.equal(statSync(join(folder, "seal-key.json")).mode & 0o077, 0);
  });
});

test("SECRET-3: whatever is said of a program has its secrets in none of the usual forms", () => {
  const printable = fc
    .string({ minLength: 6, maxLength: 60, unit: "grapheme" })
    .filter((value) => value.trim().length >= 6 && value === value.trim() && !value.includes("*"));
  const around = fc.string({ maxLength: 12 }).filter((text) => !text.includes("*"));
  fc.assert(
    fc.property(printable, around, around, fc.nat(2), (value, before, after, shift) => {
      const mask = maskOf([value]);
      const said = (line: string): string => {
        const event = mask({ kind: "log", fence: 1, stream: "out", line });
        return event.kind === "log" ? event.line : "";
      };
      const bytes = Buffer.from(value);
      // The last character of an unfinished group hangs on what follows.
      const whole6 = Math.floor((bytes.length * 8) / 6);
      const forms = [
        ...[value, encodeURIComponent(value), bytes.toString("hex"), JSON.stringify(value).slice(1, -1)],
        ...[bytes.toString("base64").slice(0, whole6), bytes.toString("base64url").slice(0, whole6)],
      ];
      for (const form of forms.filter(({ length }) => length >= 6))
        assert.ok(!said(before + form + after).includes(form), form);
      // As HTTP's Basic has it: encoded together with what stands before it.
      const whole = Buffer.concat([Buffer.alloc(shift, "u"), bytes, Buffer.from("tail")]).toString("base64");
      if (bytes.length >= 8) assert.ok(said(whole).includes("***"), whole);
      const failed = mask({
        kind: "failed",
        fence: 1,
        reason: `x ${value}`,
        retryable: false,
        usedMs: 0,
        lacks: value,
      });
      assert.ok(!JSON.stringify(failed).includes(JSON.stringify(value).slice(1, -1)));
    }),
  );
  const rows = "-----BEGIN KEY-----\nabcdefgh12345\nzyxwvut98765\n-----END KEY-----";
  const event: RunnerEvent = { kind: "log", fence: 1, stream: "out", line: "it is zyxwvut98765." };
  assert.deepEqual(maskOf([rows])(event), { ...event, line: "it is ***." });
  assert.equal(maskOf([])(event), event);
});

test("SECRET-1, SECRET-4: set, it is sealed to every agent with a key; a sweep goes only where it opens, or is refused", async () => {
  const home = mkdtempSync(join(folder, "home-"));
  const keys = { attic: newSealKey(), cellar: newSealKey() };
  const agents = [
    agentFixture("attic", { sealKey: keys.attic.publicKey }),
    agentFixture("cellar", { sealKey: keys.cellar.publicKey }),
    agentFixture("old"),
  ];
  const connected = (who: string, known = agents) =>
    // What of a connection it needs.
    ({
      home: { path: home },
      client: { who, query: () => Promise.resolve(accept(meshFixture(known))) },
    }) as never;
  const value = "hf_abcdefgh-s3cret";
  const set = await setSecret(connected("ada"), "HF_TOKEN", value, 5);
  assert.deepEqual(set.ok && Object.keys(set.value.sealed), ["attic", "cellar"]);
  assert.ok(!readFileSync(join(home, "secrets.json"), "utf8").includes(value));
  assert.equal(statSync(join(home, "secrets.json")).mode & 0o077, 0);

  const spec = (names: readonly string[], only?: string[]) =>
    sweepSpec({
      needs: only === undefined ? {} : { agents: { only } },
      program: { ...fixtureCommand, secrets: Object.fromEntries(names.map((name) => [name, {}])) },
    });
  const given = giveSecrets(spec(["HF_TOKEN"]), connected("ada"));
  assert.ok(given.ok && given.value.program?.kind === "command");
  assert.deepEqual(given.value.needs.agents?.only, ["attic", "cellar"]);
  assert.ok(sweepSpecSchema.safeParse(given.value).success);
  const opened = openSecrets(given.value.program, "ada", { agent: "cellar", key: keys.cellar });
  assert.deepEqual(opened, accept({ HF_TOKEN: value }));

  const why = (wanted: ReturnType<typeof giveSecrets>) => (wanted.ok ? "given" : wanted.refusal.message);
  assert.match(why(giveSecrets(spec(["OTHER"]), connected("ada"))), /there is no secret OTHER here/);
  assert.match(why(giveSecrets(spec(["HF_TOKEN"]), connected("bob"))), /there is no secret HF_TOKEN here/);
  assert.match(
    why(giveSecrets(spec(["HF_TOKEN"], ["old"]), connected("ada"))),
    /no agent that this sweep may run on/,
  );
  assert.equal(why(giveSecrets(spec(["HF_TOKEN"], ["attic"]), connected("ada"))), "given");
  assert.equal(why(giveSecrets(sweepSpec(), connected("bob"))), "given");

  for (const [name, text] of [
    ["lower", value],
    ["TRIALMESH_X", value],
    ["A", "short"],
    ["A", "nul\0nul\0"],
    ["A", "x".repeat(4_000)],
  ] as const)
    assert.equal((await setSecret(connected("ada"), name, text, 6)).ok, false, name);
  assert.equal((await setSecret(connected("ada", [agentFixture("old")]), "A", value, 6)).ok, false);
  assert.equal(secretNameText.safeParse("__proto__").success, false);
  assert.equal(removeSecret(connected("bob"), "HF_TOKEN").ok, false);
  assert.equal(removeSecret(connected("ada"), "HF_TOKEN").ok, true);
  assert.deepEqual(readSecrets(home), accept([]));
});
