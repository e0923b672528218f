/** The certificates of a mesh: made here, read by OpenSSL through Node, and told apart when they are not to be believed. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, test } from "node:test";
import { createAccount, createOperator, createUser, fromPublic } from "@nats-io/nkeys";
import fc from "fast-check";
import {
  authorityOf,
  issueForServer,
  issueForUser,
  type Authority,
} from "../../mesh/certificate/authority.ts";
import { newTlsKey, readPublicKey } from "../../mesh/certificate/own-key.ts";
import { holderName, serverNames } from "../../mesh/certificate/server-name.ts";
import type { Identity } from "../../mesh/identity.ts";
import { isAuthorityOf } from "../../protocol/certificate/authority-proof.ts";
import { pinBytes, pinOf } from "../../protocol/certificate/authority-pin.ts";
import { userLife } from "../../protocol/certificate/certificate-life.ts";
import { certificateFault, lifeOf } from "../../protocol/certificate/check-certificate.ts";
import { identityOf } from "../../protocol/certificate/certified-identity.ts";
import { outerRoles } from "../../protocol/subjects.ts";

const nowMs = Date.UTC(2026, 10, 30, 12);
const life = userLife;
const { backdatedMs, lifeMs } = life;
const user = createUser().getPublicKey();

function someIdentity(): Identity {
  return {
    operator: createOperator(),
    systemAccount: createAccount(),
    meshAccount: createAccount(),
    signing: createAccount(),
  };
}

const identity = someIdentity();
const authority = authorityOf(identity.operator, "house");
const own = new X509Certificate(authority.certificate);
const key = newTlsKey();

function agentOf(from: Authority, name = "tower"): X509Certificate {
  const terms = { publicKey: key.publicKey, nowMs, life };
  return new X509Certificate(issueForUser(from, { role: "agent", name, userKey: user }, terms));
}

const nameArbitrary = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,30}$/);

describe("certificates of a mesh", () => {
  test("TLS-1: the authority is the same for the same keys, has a pin, and the operator vouches for it", () => {
    const again = new X509Certificate(authorityOf(identity.operator, "house").certificate);
    assert.ok(own.ca && own.verify(own.publicKey));
    assert.deepEqual(again.publicKey.export({ format: "jwk" }), own.publicKey.export({ format: "jwk" }));
    assert.deepEqual(pinOf(again.publicKey), Buffer.from(authority.pin));
    assert.equal(authority.pin.length, pinBytes);
    const knows = (of: Identity) => (bytes: Uint8Array, signature: Uint8Array) =>
      fromPublic(of.operator.getPublicKey()).verify(bytes, signature);
    assert.ok(isAuthorityOf(own, "house", knows(identity)));
    assert.ok(!isAuthorityOf(own, "barn", knows(identity)), "of another mesh's name");
    assert.ok(!isAuthorityOf(own, "house", knows(someIdentity())), "of another operator");
    assert.ok(!isAuthorityOf(agentOf(authority), "house", knows(identity)), "a holder is no authority");
    const other = authorityOf(identity.operator, "barn");
    assert.notDeepEqual(other.pin, authority.pin, "another mesh of the same operator has another authority");
  });

  test("TLS-2: whom it is for is read as it was written, for every role and name", () => {
    fc.assert(
      fc.property(nameArbitrary, nameArbitrary, fc.constantFrom(...outerRoles), (mesh, name, role) => {
        const from = authorityOf(identity.operator, mesh);
        const terms = { publicKey: key.publicKey, nowMs, life };
        const issued = new X509Certificate(issueForUser(from, { role, name, userKey: user }, terms));
        assert.deepEqual(identityOf(issued), { kind: "user", mesh, role, name, userKey: user });
        assert.equal(certificateFault(issued, new X509Certificate(from.certificate), nowMs), null);
        assert.ok(!issued.ca);
      }),
      { numRuns: 50 },
    );
  });

  test("TLS-2: foreign, expired and not yet valid are told apart, at every moment", () => {
    const issued = agentOf(authority);
    const { beginsMs, endedMs } = lifeOf(issued);
    assert.equal(beginsMs, nowMs - backdatedMs);
    assert.equal(endedMs, nowMs + lifeMs + 1_000);
    const foreign = new X509Certificate(authorityOf(someIdentity().operator, "house").certificate);
    fc.assert(
      fc.property(fc.integer({ min: beginsMs - lifeMs, max: endedMs + lifeMs }), (at) => {
        const fault = certificateFault(issued, own, at)?.kind ?? null;
        const wanted = at < beginsMs ? "not-yet-valid" : at >= endedMs ? "expired" : null;
        assert.equal(fault, wanted);
        assert.equal(certificateFault(issued, foreign, at)?.kind, "foreign");
      }),
    );
    // Of a holder nobody's certificate counts, even where it signs with its own key.
    assert.equal(certificateFault(agentOf(authority), issued, nowMs)?.kind, "foreign");
    assert.equal(certificateFault(own, own, nowMs)?.kind, "foreign", "the authority itself is no holder");
  });

  test("TLS-2: a certificate with one bit turned is foreign or cannot be read", () => {
    const { raw } = agentOf(authority);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: raw.length * 8 - 1 }), (bit) => {
        const turned = Buffer.from(raw);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        let read: X509Certificate;
        try {
          read = new X509Certificate(turned);
          if (read.raw.equals(raw)) return;
        } catch {
          return;
        }
        assert.notEqual(certificateFault(read, own, nowMs), null);
      }),
      { numRuns: 300 },
    );
  });

  test("TLS-1: the server's names hold for any address and host", () => {
    const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(addresses, fc.domain(), (address, host) => {
        const names = [...serverNames("0.0.0.0"), ...holderName(address), ...holderName(host)];
        const terms = { publicKey: key.publicKey, nowMs, life };
        const issued = new X509Certificate(issueForServer(authority, names, terms));
        assert.equal(certificateFault(issued, own, nowMs), null);
        assert.deepEqual(identityOf(issued), { kind: "server", mesh: "house" });
        for (const known of ["127.0.0.1", "::1"]) assert.notEqual(issued.checkIP(known), undefined, known);
        if (address !== "0.0.0.0" && !/^[0:]+$/.test(address))
          assert.notEqual(issued.checkIP(address), undefined, address);
        for (const known of ["localhost", host]) assert.notEqual(issued.checkHost(known), undefined, known);
        assert.equal(issued.checkHost("elsewhere.example"), undefined);
      }),
      { numRuns: 50 },
    );
  });

  test("TLS-2: a certificate is given for keys of P-256 and nothing else", () => {
    const pem = key.publicKey.export({ format: "pem", type: "spki" }).toString();
    assert.ok(readPublicKey(pem)?.equals(key.publicKey));
    for (const wrong of ["", "-----BEGIN", "AAAA", pem.slice(0, 60)])
      assert.equal(readPublicKey(wrong), null);
  });
});
