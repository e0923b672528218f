/** Certificates of agents over a real server: asked for, renewed, refused; and who was revoked, as every agent hears it. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connectAs } from "../../mesh/connect.ts";
import type { Credential } from "../../mesh/credential.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { operatorCheck } from "../../mesh/mesh-trust.ts";
import { keepCertificate, type KeptCertificate } from "../../mesh/part/keep-certificate.ts";
import { serveCertificates } from "../../mesh/part/serve-certificate.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { writeServerCertificate } from "../../mesh/server-certificate.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { userLife, type CertificateLife } from "../../protocol/certificate/certificate-life.ts";
import { certificateFault, lifeOf } from "../../protocol/certificate/check-certificate.ts";
import { identityOf } from "../../protocol/certificate/certified-identity.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { issueCredential } from "../support/joined-user.ts";
import { until, within } from "../support/until.ts";
import { nowS, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

const live = { skip: withoutServer };
const heardMs = 2_000;

interface Agent {
  readonly credential: Credential;
  readonly bus: Bus;
  readonly kept: KeptCertificate;
  readonly said: string[];
  close(): Promise<void>;
}

describe("certificates of agents", () => {
  let own: OwnMesh;
  before(async () => {
    if (withoutServer !== false) return;
    own = await openOwnMesh("house", (home) =>
      valueOf(
        writeServerCertificate(home, valueOf(ensureIdentity(home)), {
          listen: "127.0.0.1",
          nowMs: Date.now(),
        }),
      ),
    );
  });
  after(async () => {
    if (withoutServer === false) await own.close();
  });

  async function serving(log: (line: string) => void, life?: CertificateLife) {
    return valueOf(
      await serveCertificates({
        home: own.home,
        now: Date.now,
        log,
        ...(life === undefined ? {} : { life }),
      }),
    );
  }

  async function agent(name: string, life: CertificateLife = userLife, skewMs = 0): Promise<Agent> {
    const credential = valueOf(await issueCredential(own.home, "agent", name, nowS()));
    const bus = valueOf(await connectAs(own.home, credential));
    const said: string[] = [];
    const kept = valueOf(
      keepCertificate({
        home: own.home,
        role: "agent",
        name,
        userKey: credential.publicKey,
        bus,
        check: valueOf(operatorCheck(credential)),
        clock: { ...systemClock, now: () => Date.now() + skewMs },
        say: (line) => said.push(line),
        life,
      }),
    );
    const close = async () => {
      kept.stop();
      await bus.close();
    };
    return { credential, bus, kept, said, close };
  }

  test(
    "TLS-9: an agent gets one for its own key, in its own name, and keeps it over a restart",
    live,
    async () => {
      const certificates = await serving(() => {});
      const tower = await agent("tower");
      const shown = await until("its certificate", () => tower.kept.current());
      const certificate = new X509Certificate(shown.certificate);
      assert.deepEqual(identityOf(certificate), {
        kind: "user",
        mesh: "house",
        role: "agent",
        name: "tower",
        userKey: tower.credential.publicKey,
      });
      assert.equal(certificateFault(certificate, new X509Certificate(shown.authority), Date.now()), null);
      assert.match(tower.said.join("\n"), /certificates: agent tower of mesh house has one until 20/);
      tower.kept.stop();
      await certificates.stop();
      const again = keepCertificate({
        home: own.home,
        role: "agent",
        name: "tower",
        userKey: tower.credential.publicKey,
        bus: tower.bus,
        check: valueOf(operatorCheck(tower.credential)),
        clock: systemClock,
        say: () => {},
      });
      assert.equal(valueOf(again).current()?.certificate, shown.certificate, "nobody was asked");
      valueOf(again).stop();
      for (const text of ["", shown.certificate, "x".repeat(50), shown.authority + shown.certificate]) {
        writeFileSync(join(own.home.path, "tls", "agent.tower.pem"), text);
        const kept = valueOf(
          keepCertificate({
            home: own.home,
            role: "agent",
            name: "tower",
            userKey: tower.credential.publicKey,
            bus: tower.bus,
            check: valueOf(operatorCheck(tower.credential)),
            clock: systemClock,
            say: () => {},
          }),
        );
        assert.equal(kept.current(), null, "a damaged one counts for nothing");
        kept.stop();
      }
      await tower.bus.close();
    },
  );

  test("TLS-9: it is renewed by itself before its end, one after the other", live, async () => {
    const life: CertificateLife = { lifeMs: 4_000, backdatedMs: 1_000, renewMs: 2_000 };
    const certificates = await serving(() => {}, life);
    const attic = await agent("attic", life);
    const first = await until("its certificate", () => attic.kept.current());
    const end = lifeOf(new X509Certificate(first.certificate)).endedMs;
    const told: string[] = [];
    attic.kept.onRenewed(({ certificate }) => told.push(certificate));
    await until("two later ones", () => {
      const now = attic.kept.current();
      if (now === null) return null;
      const shown = new X509Certificate(now.certificate);
      assert.equal(
        certificateFault(shown, new X509Certificate(now.authority), Date.now()),
        null,
        "at every moment",
      );
      return lifeOf(shown).endedMs > end + 3_000 || null;
    });
    assert.equal(told.at(-1), attic.kept.current()?.certificate);
    await attic.close();
    await certificates.stop();
  });

  test(
    "TLS-8: who is revoked is known to every agent within 2 s, also to one that comes later",
    live,
    async () => {
      const certificates = await serving(() => {});
      const [lost, kept, third] = [await agent("lost"), await agent("kept"), await agent("third")];
      await until("the first list", () => kept.kept.revoked.number >= 0 || null);
      const heard = [kept, third].map(
        ({ kept: { revoked } }) =>
          new Promise<void>((done) =>
            revoked.onChange((users) => users.has(lost.credential.publicKey) && done()),
          ),
      );
      valueOf(await revokeUser(own.home, "lost", nowS()));
      await within(heardMs, "both to hear it", Promise.all(heard));
      assert.ok(!kept.kept.revoked.isRevoked(third.credential.publicKey));
      const later = await agent("later");
      await within(
        heardMs,
        "the newcomer to hear it",
        until("it", () => later.kept.revoked.isRevoked(lost.credential.publicKey) || null),
      );
      await certificates.stop();
      const again = await serving(() => {});
      await within(
        heardMs,
        "a newer list, of the next `up`",
        new Promise<void>((done) => kept.kept.revoked.onChange(() => done())),
      );
      assert.ok(kept.kept.revoked.isRevoked(lost.credential.publicKey));
      for (const each of [lost, kept, third, later]) await each.close();
      await again.stop();
    },
  );

  test("TLS-9: nobody gets one for a key that the mesh has not let in", live, async () => {
    const certificates = await serving(() => {});
    const eve = valueOf(await issueCredential(own.home, "agent", "eve", nowS()));
    const other = valueOf(await issueCredential(own.home, "agent", "adam", nowS()));
    const bus = valueOf(await connectAs(own.home, eve));
    const said: string[] = [];
    const kept = valueOf(
      keepCertificate({
        home: own.home,
        role: "agent",
        name: "eve",
        userKey: other.publicKey,
        bus,
        check: valueOf(operatorCheck(eve)),
        clock: systemClock,
        say: (line) => said.push(line),
      }),
    );
    await until("the refusal", () => said.length > 0 || null);
    assert.match(said[0] ?? "", /this key of agent eve is not one that the mesh has let in/);
    assert.equal(kept.current(), null);
    kept.stop();
    await bus.close();
    await certificates.stop();
  });

  test("TLS-3: a clock that is wrong is told on both sides", live, async () => {
    const log: string[] = [];
    const certificates = await serving((line) => log.push(line));
    const slow = await agent("slow", userLife, -3 * 86_400_000);
    await until("both to say so", () => (log.length > 0 && slow.said.length > 1) || null);
    assert.match(log[0] ?? "", /^clocks: agent slow's clock is 3 days behind this machine's: it says/);
    assert.match(
      slow.said[0] ?? "",
      /^certificates: this machine's clock is 3 days behind the mesh's: it says/,
    );
    await slow.close();
    await certificates.stop();
  });
});
