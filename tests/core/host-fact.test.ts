/** What machines print, as systems are known to print it, and what is made of it before anything is brought there. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { clockNote, fitOf, readFacts, type HostFacts } from "../../client/machine/host-fact.ts";
import { sshRefusal } from "../../client/machine/ssh-fault.ts";
import { meshAddress } from "../../client/machine/mesh-address.ts";
import { messageOf, valueOf } from "../live/own-mesh.ts";

const debian = `Welcome to attic!
probe=1
os=Linux
arch=x86_64
host=attic.home
home=/home/me
clock=1700000000
ssh=192.168.1.5 50111 192.168.1.7 22
libc=glibc 2.36
free=20000000
writable=yes
node=
trialmesh=
services=yes
`;
const here = { platform: "linux", arch: "x64" };
const to = "me@attic";
const needed = 300_000_000;

function facts(changes: Readonly<Record<string, string>> = {}, text = debian): HostFacts {
  const changed = Object.entries(changes).map(([name, value]) => `${name}=${value}`);
  return valueOf(readFacts(`${text}${changed.join("\n")}\n`, to));
}

describe("ADD-5: a machine that is to be added", () => {
  test("a bare Debian takes the build as it is, whatever its login says first", () => {
    assert.deepEqual(facts(), {
      os: "Linux",
      arch: "x86_64",
      home: "/home/me",
      host: "attic.home",
      clockMs: 1_700_000_000_000,
      seenFrom: "192.168.1.5",
      libc: "glibc 2.36",
      freeBytes: 20_480_000_000,
      writable: true,
      missing: [],
      hasNpm: false,
      node: null,
      trialmesh: null,
      current: null,
      builds: [],
      mesh: null,
      agents: [],
      mayHaveServices: true,
    });
    assert.equal(valueOf(fitOf(facts(), here, needed, to)), "same");
  });

  test("what cannot be is told, each in one sentence that names the machine", () => {
    const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ os: "MINGW64_NT-10.0-22631" }, /answers as Windows.*WSL 2/u],
      [{ os: "CYGWIN_NT-10.0" }, /answers as Windows.*WSL 2/u],
      [{ os: "FreeBSD" }, /FreeBSD on x86_64.*no Node/u],
      [{ arch: "armv6l" }, /Linux on armv6l.*no Node/u],
      [{ missing: "gzip" }, /no `gzip`; install it/u],
      [{ writable: "" }, /may be written in \/home\/me/u],
      [{ free: "100000" }, /0\.1 GiB free in \/home\/me and trialmesh needs 0\.8 GiB/u],
      [{ libc: "glibc 2.17" }, /glibc 2\.17, and Node needs glibc 2\.28/u],
      [{ libc: "ldd (GNU libc) 2.27" }, /glibc 2\.27/u],
      [{ libc: "musl libc (x86_64)" }, /musl/u],
      [{ arch: "aarch64" }, /linux on arm64 and this machine linux on x64.*no npm; install Node there/u],
      [{ os: "Darwin", arch: "arm64", libc: "" }, /darwin on arm64.*no npm/u],
    ];
    for (const [changes, sentence] of cases) {
      const last = Object.fromEntries(Object.entries(changes));
      // The last word counts, but for what may be said more than once.
      const text = debian.split("\n").filter((line) => !Object.hasOwn(last, line.split("=")[0] ?? ""));
      const message = messageOf(fitOf(facts(last, text.join("\n")), here, needed, to));
      assert.match(message, sentence);
      assert.ok(message.startsWith(to) || message.includes(` ${to}`), message);
      assert.doesNotMatch(message, /\n/u);
    }
  });

  test("another kind of machine with npm gets its packages from the registry", () => {
    for (const changes of [{ arch: "aarch64" }, { os: "Darwin", arch: "arm64" }])
      assert.equal(valueOf(fitOf(facts({ ...changes, npm: "yes" }), here, needed, to)), "npm");
  });

  test("what is no probe's answer is refused and never read as one", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (/^probe=/mu.test(text)) return;
        assert.match(messageOf(readFacts(text, to)), /no Bourne shell/u);
      }),
    );
  });

  test("a clock a minute off is told with its direction", () => {
    const nowMs = 1_700_000_000_000;
    assert.equal(clockNote(facts(), nowMs + 59_000, to), null);
    assert.match(clockNote(facts(), nowMs + 120_000, to) ?? "", /120 s behind/u);
    assert.match(clockNote(facts(), nowMs - 120_000, to) ?? "", /120 s ahead/u);
  });
});

describe("ADD-5: what ssh says where it does not get through", () => {
  const said: readonly (readonly [string, RegExp])[] = [
    [
      "@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nHost key verification failed.",
      /another host key.*ssh-keygen -R attic/u,
    ],
    [
      "No ED25519 host key is known for attic and you have requested strict checking.\nHost key verification failed.",
      /does not know the host key/u,
    ],
    ["me@attic: Permission denied (publickey).", /not let in.*ssh-copy-id/u],
    ["ssh: Could not resolve hostname attic: Name or service not known", /no machine is known/u],
    ["ssh: connect to host attic port 22: Connection refused", /no ssh server answers/u],
    ["ssh: connect to host attic port 22: Connection timed out", /does not answer/u],
    ["kex_exchange_identification: read: something new", /ended \(kex_exchange/u],
  ];
  for (const [stderr, sentence] of said)
    test(sentence.source, () => {
      const refused = sshRefusal({ destination: to, code: 255, stderr });
      assert.ok(refused !== null);
      assert.match(messageOf(refused), sentence);
      assert.doesNotMatch(messageOf(refused), /\n|@@@/u);
    });

  test("a shell of Windows is told as that, with its own exit status", () => {
    const stderr =
      "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.";
    const refused = sshRefusal({ destination: to, code: 1, stderr });
    assert.ok(refused !== null);
    assert.match(messageOf(refused), /WSL 2/u);
  });

  test("what the machine's own command says is not taken for ssh's", () =>
    assert.equal(sshRefusal({ destination: to, code: 1, stderr: "tar: Permission denied" }), null));
});

describe("ADD-5: the address a machine gets", () => {
  const own = ["127.0.0.1", "192.168.1.5"];
  const of = (listen: string | null, url: string, seenFrom: string | null) =>
    meshAddress({ destination: to, listen, own, seenFrom, url });
  const loopback = "nats://127.0.0.1:4222";

  test("a mesh on loopback is told before anything is brought, unless the machine is this one", () => {
    assert.match(messageOf(of("127.0.0.1", loopback, "192.168.1.5")), /--listen 0\.0\.0\.0:4222/u);
    assert.equal(valueOf(of("127.0.0.1", loopback, "127.0.0.1")), loopback);
  });
  test("one that listens everywhere is named as ssh's server sees this machine, if that is its address", () => {
    assert.equal(valueOf(of("0.0.0.0", loopback, "192.168.1.5")), "nats://192.168.1.5:4222");
    assert.equal(valueOf(of("0.0.0.0", loopback, "10.9.9.9")), undefined);
    assert.equal(valueOf(of("0.0.0.0", loopback, null)), undefined);
  });
});
