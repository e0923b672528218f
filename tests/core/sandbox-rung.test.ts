/** The ladder of sandboxes without a process: what is demanded and told, what an owner's word means, what a machine shows. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import { bubblewrapOptions, type Mount } from "../../agent/sandbox/bubblewrap-option.ts";
import { exitWithin } from "../../agent/sandbox/exit-within.ts";
import { probeSandbox, sandboxWishes, whyNot } from "../../agent/sandbox/probe-sandbox.ts";
import { isWithin, visibleMachine } from "../../agent/sandbox/visible-machine.ts";
import { firstSandbox, programReadsOf, sandboxPolicy } from "../../mesh/part/sandbox-policy.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { explainMismatch, matchMachine } from "../../protocol/match.ts";
import { programNetworks, sandboxRungs } from "../../protocol/sandbox-rung.ts";
import { capability } from "../support/fold.ts";

const place = realpathSync(mkdtempSync(join(tmpdir(), "trialmesh-rung-")));
after(() => rmSync(place, { recursive: true, force: true }));
const machine = visibleMachine({ environment: {}, python: [], reads: [], secret: [] });

test("SANDBOX-9: a demanded rung is met by it and by higher ones, and by no agent that tells none", () => {
  const needs = (sandbox: (typeof sandboxRungs)[number]) => ({
    ...{ agent: "a", requester: "owner", kind: "noop/noop", requirement: { sandbox } },
  });
  const misses = (rung: (typeof sandboxRungs)[number] | null, wanted: (typeof sandboxRungs)[number]) =>
    matchMachine(
      needs(wanted),
      {
        ...capability(),
        ...(rung === null ? {} : { sandbox: { rung, network: "all" as const, missing: null } }),
      },
      openPolicy(1),
    ).filter(({ predicate }) => predicate === "sandbox");
  for (const [at, wanted] of sandboxRungs.entries()) {
    assert.equal(misses(null, wanted).length, at === 0 ? 0 : 1);
    for (const [has, rung] of sandboxRungs.entries())
      assert.equal(misses(rung, wanted).length, has >= at ? 0 : 1, `${rung} for ${wanted}`);
  }
  assert.deepEqual(misses("none", "bubblewrap").map(explainMismatch), [
    "sandbox: needs bubblewrap, has none",
  ]);
});

test("SANDBOX-10: without bubblewrap programs run and it is said, unless the owner's word asks for what only that gives", async () => {
  for (const wish of sandboxWishes)
    for (const network of programNetworks) {
      const found = await probeSandbox({ wish, network, environment: { PATH: place }, machine });
      assert.equal(found.sandbox, null);
      assert.equal(found.view.rung, "none");
      assert.match(found.view.missing ?? "", wish === "none" ? /--sandbox none/ : /bubblewrap/);
      assert.equal(found.refused !== null, wish === "bubblewrap" || network === "none", `${wish} ${network}`);
    }
});

test("SANDBOX-10: a bubblewrap that is there and fails is none, and what forbids it is named", async () => {
  const folder = join(place, "bin");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "bwrap"),
    "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n",
    {
      mode: 0o755,
    },
  );
  const probe = {
    wish: "auto",
    network: "all",
    environment: { PATH: `${folder}:/usr/bin:/bin` },
    machine,
  } as const;
  const { refused, sandbox, view } = await probeSandbox(probe);
  if (process.platform === "linux") assert.match(view.missing ?? "", /uid map: Permission denied/);
  assert.deepEqual([sandbox, refused], [null, null]);
  const said = { ok: false, missing: false, why: "bwrap: no" } as const;
  assert.match(
    whyNot(said, (file) => (file.includes("apparmor") ? "1" : null)),
    /AppArmor forbids it .* Ubuntu/,
  );
  assert.match(
    whyNot(said, (file) =>
      (file.includes("max_user") ? "0" : "1").replace("1", file.includes("clone") ? "1" : "0"),
    ),
    /user namespaces are switched off/,
  );
  assert.match(
    whyNot(said, () => null),
    /in a container/,
  );
});

test("SANDBOX-6: of what an owner may add, whole paths are taken and everything else is refused with what is right", () => {
  assert.deepEqual(programReadsOf("/data, /srv/x"), { ok: true, value: ["/data", "/srv/x"] });
  assert.deepEqual(programReadsOf("none"), { ok: true, value: [] });
  for (const wrong of ["data", "", "/", "/data,", "~/x", "/a\0b", "./x,/y"])
    assert.equal(programReadsOf(wrong).ok, false, wrong);
  const kept = sandboxPolicy(firstSandbox, { sandbox: "none", programReads: "/data" });
  assert.deepEqual(kept.ok && sandboxPolicy(kept.value, {}), kept);
});

test("SANDBOX-1: no folder on a path, no Python and no link to it brings a home, the mesh's or a whole branch of the disk into sight", () => {
  const home = join(place, "home");
  const mesh = join(home, ".trialmesh");
  for (const name of [
    ".local/bin",
    ".ssh",
    ".trialmesh/agent",
    "venv/bin",
    "venv/lib/python3.12/site-packages",
  ])
    mkdirSync(join(home, name), { recursive: true });
  writeFileSync(join(home, "venv", "pyvenv.cfg"), "");
  const anywhere = fc.constantFrom(
    ...["/", "/tmp", "/home", "/etc", "/var", "/proc", "/run", ".", "", "..", home, dirOf(home), mesh],
    ...[join(home, ".local", "bin"), join(home, "venv", "bin"), `${home}/../home`, `${home}/`, "/usr/bin"],
    ...[
      join(home, "venv", "bin", "python"),
      join(home, "python3"),
      `${home}/lib/python3.12`,
      "/lib/python3.12",
    ],
  );
  fc.assert(
    fc.property(fc.array(anywhere), fc.array(anywhere), (path, python) => {
      const environment = { HOME: home, PATH: path.join(":") };
      const { readable } = visibleMachine({ environment, python, reads: [], secret: [mesh] });
      for (const shown of readable) {
        assert.ok(!isWithin(home, realpathSync(shown)), `${shown} shows the home`);
        assert.ok(!isWithin(mesh, realpathSync(shown)), `${shown} shows the mesh's home`);
        assert.ok(!["/", "/tmp", "/etc", "/home", "/var", "/proc", "/run"].includes(realpathSync(shown)));
      }
    }),
  );
});

function dirOf(path: string): string {
  return join(path, "..");
}

test("SANDBOX-5: whatever a variable holds is one word, and nothing of it becomes an option", () => {
  const text = fc.string().filter((value) => !value.includes("\0"));
  fc.assert(
    fc.property(fc.dictionary(text, text), (environment) => {
      const mounts: Mount[] = [];
      const words = bubblewrapOptions({ mounts, environment, folder: "/", ownNetwork: true });
      const given = words.slice(words.indexOf("--clearenv") + 1);
      assert.equal(given.length, Object.keys(environment).length * 3);
      for (const [at, [name, value]] of Object.entries(environment).entries())
        assert.deepEqual(given.slice(at * 3, at * 3 + 3), ["--setenv", name, value]);
      assert.ok(words.includes("--unshare-net"));
    }),
  );
});

test("SANDBOX-4: a code above 128 is the signal that it means; another is itself", () => {
  assert.deepEqual(exitWithin({ code: 137, signal: null }), { code: null, signal: "SIGKILL" });
  assert.deepEqual(exitWithin({ code: 143, signal: null }), { code: null, signal: "SIGTERM" });
  for (const code of [0, 1, 2, 126, 127, 128, 200, 255])
    assert.deepEqual(exitWithin({ code, signal: null }), { code, signal: null });
  assert.deepEqual(exitWithin({ code: null, signal: "SIGKILL" }), { code: null, signal: "SIGKILL" });
});
