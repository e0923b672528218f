/** PEER-3 and PEER-4 with the certificates that a mesh itself makes, and the places that its tracker names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOperator, createUser } from "@nats-io/nkeys";
import fc from "fast-check";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { trackedPeers } from "../../artifact/peer/tracked-peer.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { authorityOf, issueForUser } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { userLife } from "../../protocol/certificate/certificate-life.ts";
import { madeUp, PeerMachine } from "../support/peer-machine.ts";

const chunk = 2 ** 20;

function mesh(name: string) {
  const authority = authorityOf(createOperator(), name);
  const revoked = new Set<string>();
  return {
    revoked,
    of(role: "agent" | "requester", who: string) {
      const [key, userKey] = [newTlsKey(), createUser().getPublicKey()];
      const terms = { publicKey: key.publicKey, nowMs: Date.now(), life: userLife };
      const certificate = issueForUser(authority, { role, name: who, userKey }, terms);
      const isRevoked = (one: string) => revoked.has(one);
      const own = { key: key.pem, certificate, authority: authority.certificate, mesh: name, isRevoked };
      return { identity: meshIdentity(own), userKey };
    },
  };
}

test("PEER-3, PEER-4: agents and people of one mesh exchange artifacts, others do not, and who is revoked is cut off in 2 s", async () => {
  const house = mesh("house");
  const [a, b, ada] = [
    house.of("agent", "tower"),
    house.of("agent", "attic"),
    house.of("requester", "tower"),
  ];
  const stranger = mesh("house").of("agent", "attic");
  const slow = { limits: { slots: 4, bytesPerSecond: 2 * chunk } };
  const tower = await PeerMachine.open("tower", a.identity, slow);
  const attic = await PeerMachine.open("attic", b.identity);
  const person = await PeerMachine.open("requester:tower", ada.identity);
  const other = await PeerMachine.open("attic", stranger.identity);
  try {
    const small = await tower.shelf.add(madeUp(chunk / 2));
    valueOf(await attic.receive(small, [tower]));
    valueOf(await person.receive(small, [tower]));
    // A person of the same name is not that agent.
    const taken = await attic.door.dial({ ...person.peer, name: "tower" });
    assert.ok(!taken.ok && /it is "requester:tower"/.test(taken.refusal.message));
    const foreign = await other.receive(small, [tower], { giveUpMs: 200 });
    assert.ok(!foreign.ok && /not signed by this mesh/.test(foreign.refusal.message));
    const large = await tower.shelf.add(madeUp(20 * chunk));
    const transfer = attic.receive(large, [tower], { giveUpMs: 3_000 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    house.revoked.add(b.userKey);
    tower.door.recheck();
    assert.deepEqual(
      [...tower.door.links].map(({ peer }) => peer),
      ["requester:tower"],
    );
    const outcome = await transfer;
    assert.ok(!outcome.ok && /revoked/.test(outcome.refusal.message), JSON.stringify(outcome));
  } finally {
    for (const machine of [tower, attic, person, other]) await machine.close();
  }
});

test("a machine is reached at the first of its places where it is", async () => {
  const house = mesh("house");
  const tower = await PeerMachine.open("tower", house.of("agent", "tower").identity);
  const attic = await PeerMachine.open("attic", house.of("agent", "attic").identity);
  try {
    const door = {
      addresses: ["127.0.0.1:1", "nonsense", `127.0.0.1:${attic.door.port}`, `127.0.0.1:${tower.door.port}`],
    };
    const [peer, ...more] = trackedPeers(
      {
        peers: [
          { agent: "tower", door, part: false },
          { agent: "attic", door, part: true },
        ],
      },
      "attic",
    );
    assert.ok(peer !== undefined && more.length === 0);
    assert.equal(valueOf(await attic.door.reach(peer)).peer, "tower");
  } finally {
    for (const machine of [tower, attic]) await machine.close();
  }
});

test("an address is a host and a port, or nothing", () => {
  const at = (address: string) =>
    trackedPeers({ peers: [{ agent: "a", door: { addresses: [address] }, part: false }] }, "");
  for (const [address, host, port] of [
    ["tower:7411", "tower", 7_411],
    ["10.0.0.1:1", "10.0.0.1", 1],
    ["[fd00::1]:65535", "fd00::1", 65_535],
  ] as const)
    assert.deepEqual(at(address), [{ name: "a", host, port, others: [], via: [] }]);
  for (const wrong of ["", "tower", "tower:", ":1", "tower:0", "tower:65536", "a b:1", "::1:1", "tower:1:2"])
    assert.deepEqual(at(wrong), [], wrong);
  fc.assert(fc.property(fc.string(), (text) => at(text).length <= 1));
});

test("one that nobody can connect to is found through those that pass on, where they are anywhere", () => {
  const door = { addresses: ["10.0.0.1:7000"] };
  const nowhere = { addresses: ["nonsense"] };
  const hidden = [
    {
      agent: "cellar",
      part: false,
      via: [
        { agent: "tower", door },
        { agent: "attic", door: nowhere },
      ],
    },
    { agent: "garage", part: false, via: [{ agent: "attic", door: nowhere }] },
    { agent: "me", part: true, via: [{ agent: "tower", door }] },
  ];
  const tower = { name: "tower", host: "10.0.0.1", port: 7_000, others: [] };
  assert.deepEqual(trackedPeers({ peers: [], hidden }, "me"), [{ name: "cellar", via: [tower] }]);
});
