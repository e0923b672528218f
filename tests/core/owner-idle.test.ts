/** Where idleness is read: the forms programs print it in, and how several sources are weighed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "../../system/ask-program.ts";
import { desktop } from "../../agent/owner/idle/desktop.ts";
import { leastIdle, type IdleReading } from "../../agent/owner/idle/idle-source.ts";
import { lineSource } from "../../agent/owner/idle/line-source.ts";
import { hintOf, logind, readDesktops, readSessionIds } from "../../agent/owner/idle/logind.ts";
import { readIoreg } from "../../agent/owner/idle/mac.ts";
import { readMutter } from "../../agent/owner/idle/mutter.ts";
import { ownerCommand, readSeconds } from "../../agent/owner/idle/owner-command.ts";
import { latestInput } from "../../agent/owner/idle/tty.ts";
import { readWindowsLine } from "../../agent/owner/idle/windows.ts";
import { readXprintidle } from "../../agent/owner/idle/x11.ts";
import { onLinuxBattery } from "../../agent/owner/power.ts";
import { readPsTimes, readStatTime } from "../../system/processor-time.ts";
import { until } from "../support/until.ts";

const idle = (source: string, ms: number): IdleReading => ({ kind: "idle", source, ms });
const fixed = (name: string, reading: IdleReading) => ({ name, read: () => Promise.resolve(reading) });

const sessionList = `     2 1000 ada   seat0 tty2
    c1  118 gdm   seat0 tty1
    14 1000 ada   -     pts/3
`;
const sessions = `Id=2
User=1000
Type=wayland
Class=user
State=active
Display=
IdleHint=yes
IdleSinceHint=1767225000000000

Id=c1
User=118
Type=x11
Class=greeter
State=closing
Display=:1
IdleHint=no
IdleSinceHint=0

Id=14
User=1000
Type=tty
Class=user
State=active
Display=
IdleHint=no
IdleSinceHint=1767225590000000
`;
const nowMs = 1_767_225_600_000;

test("IDLE-1: each source's form is read, and what is in another form is unknown", () => {
  assert.deepEqual(readMutter("(uint64 73912,)\n"), idle("mutter", 73_912));
  assert.deepEqual(readXprintidle("1203\n"), idle("x11", 1_203));
  assert.deepEqual(readWindowsLine("4294\r"), idle("windows", 4_294));
  const ioreg = `+-o IOHIDSystem  <class IOHIDSystem, id 0x100000467, registered>
    {
      "HIDIdleTime" = 1186000291
      "HIDParameters" = {"HIDKeyRepeat"=83333333}
    }
`;
  assert.deepEqual(readIoreg(ioreg), idle("hid", 1_186.000291));
  assert.deepEqual(readSeconds(" 312.5\n"), idle("the owner's command", 312_500));
  assert.deepEqual(latestInput([nowMs - 5_000, nowMs - 90_000], nowMs), idle("terminal", 5_000));
  assert.deepEqual(latestInput([nowMs + 5_000], nowMs), idle("terminal", 0));
  assert.equal(latestInput([], nowMs).kind, "absent");
  for (const wrong of [
    readMutter("(uint32 5,)"),
    readXprintidle("couldn't open display"),
    readWindowsLine("unknown"),
    readIoreg("{}"),
    readSeconds("five"),
    readSeconds("-3"),
    readSeconds(""),
    readSeconds("1e400"),
  ])
    assert.equal(wrong.kind, "unknown");
});

test("IDLE-2: of logind's sessions only desktops with people before them count, each by what it told", () => {
  assert.deepEqual(readSessionIds(sessionList), ["2", "c1", "14"]);
  const found = readDesktops(sessions);
  assert.deepEqual(
    found.map(({ id, type, uid }) => [id, type, uid]),
    [["2", "wayland", 1000]],
  );
  const [session] = found;
  assert.ok(session !== undefined);
  assert.deepEqual(hintOf(session, nowMs), idle("logind", 600_000));
  assert.deepEqual(hintOf({ ...session, idleHint: false }, nowMs), idle("logind", 0));
  assert.equal(hintOf({ ...session, since: null }, nowMs).kind, "unknown", "it never told");
});

test("IDLE-3: the least idle source counts, one that cannot tell outweighs all, and with none nobody knows", async () => {
  const away = fixed("a", idle("a", 9_000));
  const typing = fixed("b", idle("b", 10));
  const absent = fixed("c", { kind: "absent", why: "there is no terminal" });
  const blind = fixed("d", { kind: "unknown", why: "it cannot tell" });
  assert.deepEqual(await leastIdle([away, typing, absent]), idle("b", 10));
  assert.deepEqual(await leastIdle([away, blind]), { kind: "unknown", why: "it cannot tell" });
  assert.deepEqual(await leastIdle([absent]), {
    kind: "unknown",
    why: "no source of idleness works here (c: there is no terminal)",
  });
});

const answers =
  (shown: string, listed: Answer = { ok: true, text: sessionList }) =>
  (_program: string, [verb]: readonly string[]): Promise<Answer> =>
    Promise.resolve(verb === "list-sessions" ? listed : { ok: true, text: shown });
const desktopOf = (
  shown: string,
  mutter: IdleReading,
  x11: IdleReading,
  listed?: Answer,
  environment: NodeJS.ProcessEnv = {},
) =>
  desktop({
    logind: logind(() => 0, answers(shown, listed)),
    uid: 1000,
    environment,
    now: () => nowMs,
    mutter: () => Promise.resolve(mutter),
    x11: () => Promise.resolve(x11),
  }).read();

test("IDLE-4: a desktop is judged by its finest witness, and one that nobody speaks for is unknown", async () => {
  const none: IdleReading = { kind: "absent", why: "xprintidle is not installed" };
  const never = sessions.replace("IdleSinceHint=1767225000000000", "IdleSinceHint=0");
  assert.deepEqual(await desktopOf(sessions, idle("mutter", 70), none), idle("mutter", 70));
  assert.deepEqual(
    await desktopOf(sessions, none, idle("x11", 5)),
    idle("logind", 600_000),
    "not X on Wayland",
  );
  assert.deepEqual(await desktopOf(sessions.replace("wayland", "x11"), none, idle("x11", 5)), idle("x11", 5));
  const unknown = await desktopOf(never, none, none);
  assert.deepEqual(unknown, {
    kind: "unknown",
    why: "the desktop of session 2 does not tell logind when it is idle, and xprintidle is not installed",
  });
  assert.equal((await desktopOf("", none, none)).kind, "absent");
  // Another user's desktop: its clock does not answer us, only its hint does.
  const others = sessions.replace("User=1000", "User=1001");
  assert.deepEqual(await desktopOf(others, idle("mutter", 70), none), idle("logind", 600_000));
});

test("IDLE-4: without logind a display of the environment has to be judged too", async () => {
  const noLogind: Answer = { ok: false, missing: true, why: "loginctl is not installed" };
  const none: IdleReading = { kind: "absent", why: "xprintidle is not installed" };
  const environment = { DISPLAY: ":0" };
  assert.deepEqual(await desktopOf("", none, idle("x11", 5), noLogind, environment), idle("x11", 5));
  assert.equal((await desktopOf("", none, none, noLogind, environment)).kind, "unknown");
});

test("IDLE-5: a command of the owner's is asked in a shell; one that fails says how", async () => {
  assert.deepEqual(await ownerCommand("echo 1; exit 0").read(), idle("the owner's command", 1_000));
  const failed = await ownerCommand("echo no such sensor >&2; exit 3").read();
  assert.ok(failed.kind === "unknown");
  assert.match(failed.why, /no such sensor$/);
});

test("IDLE-6: a program that goes on printing is read by its last line, and its end is noticed", async () => {
  let now = 0;
  const parameters = ["-e", "console.log(5); console.log(7); setTimeout(() => {}, 60000)"];
  const source = lineSource({
    name: "lines",
    program: process.execPath,
    parameters,
    parse: readWindowsLine,
    now: () => now,
  });
  assert.equal((await source.read()).kind, "unknown");
  const reading = await until("both lines to be read", async () => {
    const found = await source.read();
    return found.kind === "idle" && found.ms === 7 ? found : null;
  });
  assert.deepEqual(reading, idle("windows", 7));
  now = 4_000;
  assert.deepEqual(await source.read(), { kind: "unknown", why: `${process.execPath} has fallen silent` });
  source.close?.();
});

test("OWNER-5: only a machine's own battery that discharges means no mains", () => {
  const supply = (...lines: string[]) => lines.map((line) => `POWER_SUPPLY_${line}`).join("\n");
  const mains = supply("TYPE=Mains", "ONLINE=0");
  assert.equal(onLinuxBattery([mains]), null);
  assert.equal(onLinuxBattery([mains, supply("TYPE=Battery", "STATUS=Discharging")]), true);
  assert.equal(onLinuxBattery([supply("TYPE=Battery", "STATUS=Not charging")]), false);
  assert.equal(onLinuxBattery([supply("TYPE=Battery", "SCOPE=Device", "STATUS=Discharging")]), null);
});

test("LOAD-OWN: a process's own time is read whatever its name, in every form ps has", () => {
  const stat = "77 (a ) b (c) R 1 77 77 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 1 0 1000 1 1";
  assert.equal(readStatTime(stat), 1_750);
  assert.deepEqual(
    [...readPsTimes("  77   0:01.50\n 78 01:02:03\n79 2-00:00:01\n\n")],
    [
      [77, 1_500],
      [78, 3_723_000],
      [79, 172_801_000],
    ],
  );
});
