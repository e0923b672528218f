/** The owner's flags and the file that keeps them. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ownerFlags, ownerFlagsOf } from "../../cli/command/owner-flag.ts";
import { agentPolicy, type PolicyFlags } from "../../mesh/part/agent-policy.ts";
import { Command } from "commander";

const root = mkdtempSync(join(tmpdir(), "trialmesh-owner-"));
after(() => rmSync(root, { recursive: true, maxRetries: 5 }));
const folder = () => mkdtempSync(join(root, "agent-"));
const cores = availableParallelism();

function policyOf(at: string, flags: PolicyFlags) {
  const outcome = agentPolicy(at, flags);
  return outcome.ok ? outcome.value : assert.fail(outcome.refusal.message);
}

function refusalOf(flags: PolicyFlags, at = folder()): string {
  const outcome = agentPolicy(at, flags);
  return outcome.ok ? assert.fail("it was taken") : outcome.refusal.message;
}

test("POLICY-1: what an owner says is kept, and each word can be taken back", () => {
  const at = folder();
  const said = policyOf(at, {
    slots: 1,
    onlyWhenIdle: 3,
    idleLoad: 0.5,
    vacateAfter: 20,
    idleCommand: "idle-seconds",
    onBattery: "yes",
    maxCelsius: 85,
  });
  const idle = { startMinutes: 3, loadMax: 0.5, resumeMinutes: 3, vacateMinutes: 20 };
  assert.deepEqual(said.policy.idle, idle);
  const kept = policyOf(at, {});
  assert.deepEqual(kept, said);
  assert.deepEqual(
    [kept.policy.onBattery, kept.policy.maxCelsius, kept.idleCommand],
    [true, 85, "idle-seconds"],
  );
  assert.deepEqual(policyOf(at, { onlyWhenIdle: true }).policy.idle, idle);
  const back = policyOf(at, {
    onlyWhenIdle: "never",
    idleCommand: "none",
    onBattery: "no",
    maxCelsius: "any",
  });
  assert.deepEqual(
    [back.policy.idle, back.idleCommand, back.policy.onBattery, back.policy.maxCelsius],
    [null, null, false, null],
  );
  const desktop = { startMinutes: 15, loadMax: 0.3, resumeMinutes: 5, vacateMinutes: 10 };
  assert.deepEqual(policyOf(at, { onlyWhenIdle: true }).policy.idle, desktop, "HTCondor's figures");
});

test("POLICY-1: what others get of this machine's artifacts, and whether it passes on, is kept and stays here", () => {
  const at = folder();
  const gives = (flags: PolicyFlags) => {
    const { mayRelay, peerPort, policy, uploadRate } = policyOf(at, flags);
    assert.doesNotMatch(JSON.stringify(policy), /upload|relay|port"/iu);
    return [uploadRate, mayRelay, peerPort];
  };
  assert.deepEqual(gives({}), [null, true, "any"], "as fast as it goes");
  assert.deepEqual(gives({ upload: 2.5, relay: "no", peerPort: "none" }), [2.5, false, "none"]);
  assert.deepEqual(gives({}), [2.5, false, "none"]);
  assert.deepEqual(gives({ upload: 0, peerPort: 4_223 }), [0, false, 4_223]);
  assert.deepEqual(gives({ relay: "yes" }), [0, true, 4_223]);
  assert.deepEqual(gives({ upload: "any", peerPort: "any" }), [null, true, "any"]);
  // Of an earlier version.
  const path = join(at, "policy.json");
  const text = readFileSync(path, "utf8").replace(
    /,\s*"uploadRate": null,\s*"mayRelay": true,\s*"peerPort": "any"/u,
    "",
  );
  assert.doesNotMatch(text, /uploadRate|mayRelay|peerPort/);
  writeFileSync(path, text);
  assert.deepEqual(gives({}), [null, true, "any"]);
});

test("POLICY-2: the command that tells of idleness stays on this machine", () => {
  const at = folder();
  const { policy } = policyOf(at, { onlyWhenIdle: true, idleCommand: "cat secret-place" });
  assert.doesNotMatch(JSON.stringify(policy), /secret-place/);
  assert.match(readFileSync(join(at, "policy.json"), "utf8"), /secret-place/);
});

test("POLICY-3: what contradicts itself is refused with what would be right, and nothing is kept", () => {
  const at = folder();
  assert.equal(
    refusalOf({ hours: "22:00-22:00" }, at),
    "--hours 22:00-22:00: 22:00-22:00 ends where it begins; write always for the whole day, or a later end",
  );
  assert.match(refusalOf({ hours: "22:00-07:00,06:00-08:00" }, at), /22:00-07:00 and 06:00-08:00 overlap/);
  assert.match(refusalOf({ hours: "" }, at), /they name no span; write times/);
  assert.match(refusalOf({ resumeAfter: 4 }, at), /^--resume-after says nothing without --only-when-idle/);
  assert.match(
    refusalOf({ onlyWhenIdle: 3, resumeAfter: 4 }, at),
    /^trials that may start after 3 minutes .* give --resume-after 3 or less$/,
  );
  assert.equal(
    refusalOf({ slots: cores, leaveFreeCores: 1 }, at),
    `${cores} slots and 1 cores left free are more than the ${cores} cores of this machine; give ${cores > 1 ? `--slots ${cores - 1}` : "--leave-free-cores 0"} or less`,
  );
  assert.match(refusalOf({ idleCommand: " " }, at), /^--idle-command is empty/);
  assert.equal(policyOf(at, {}).policy.hours, null);
});

test("POLICY-3: a file written by hand is held to the same rules", () => {
  const at = folder();
  policyOf(at, { hours: "08:00-09:00" });
  const path = join(at, "policy.json");
  writeFileSync(path, readFileSync(path, "utf8").replace("09:00", "08:00"));
  assert.match(refusalOf({}, at), /policy\.json: 08:00-08:00 ends where it begins/);
});

test("POLICY-4: cores to leave free are taken off the slots of a first start", { skip: cores < 2 }, () => {
  assert.equal(policyOf(folder(), { leaveFreeCores: 1 }).policy.slots, cores - 1);
  assert.equal(policyOf(folder(), {}).policy.slots, cores);
});

test("POLICY-5: `up` hands its agent's flags on as they were given", () => {
  const given = [
    ...["--slots", "2", "--hours", "22:00-07:00", "--only-when-idle", "--idle-load", "0.2"],
    ...["--resume-after", "2", "--vacate-after", "9", "--idle-command", "cat file", "--on-battery", "yes"],
    ...["--max-celsius", "80", "--leave-free-cores", "0", "--leave-free-mem", "1.5", "--label", "room=attic"],
    ...["--upload", "2.5", "--relay", "no", "--peer-port", "4223"],
  ];
  const parse = (words: readonly string[]) =>
    ownerFlags(new Command().exitOverride()).parse(words, { from: "user" }).opts<PolicyFlags>();
  assert.deepEqual(ownerFlagsOf(parse(given)), given);
  assert.deepEqual(ownerFlagsOf(parse(["--only-when-idle", "never", "--max-celsius", "any"])), [
    ...["--only-when-idle", "never", "--max-celsius", "any"],
  ]);
});
