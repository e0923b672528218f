// The journal on a server of somebody else's, made whole as far as a coordinator may, and a place's word on what is damaged.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Journal, startPosition } from "../../coordinator/journal/journal.ts";
import { salvageJournal, type WholeJournal } from "../../coordinator/journal/salvage.ts";
import { signedAtIn } from "../../coordinator/journal/signed-at.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { connectAs } from "../../mesh/connect.ts";
import { coordinatorKeys } from "../../mesh/mesh-trust.ts";
import { outsideJournal } from "../../mesh/part/outside-journal.ts";
import { journalFault, type JournalPlace } from "../../mesh/part/server-journal.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { streamSpecsOf, streamsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { streamAdministrator, type StreamAdministrator } from "../support/stream-administrator.ts";
import { messageOf, nowS, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

const count = 300;

describe("JOURNAL-5: a server of somebody else's", { skip: withoutServer }, () => {
  const name = streamsOf("mesh").journal;
  const messages: Uint8Array[] = [];
  let mesh: OwnMesh;
  let bus: Bus;
  let place: JournalPlace;
  let whole: WholeJournal;
  let administrator: StreamAdministrator;
  let subject = "";

  before(async () => {
    mesh = await openOwnMesh("mesh");
    const credential = valueOf(await ensureCredential(mesh.home, "coordinator", "one", nowS()));
    const keys = valueOf(coordinatorKeys("mesh", credential));
    bus = valueOf(await connectAs(mesh.home, credential));
    for (const spec of streamSpecsOf("mesh", 1, "secret")) await bus.ensureStream(spec);
    [subject = ""] = await bus.streamSubjects(name);
    const journal = new Journal(bus, "mesh", systemClock, keys);
    let position = startPosition;
    for (let at = 1; at <= count; at++) {
      const entry = journal.entryAfter(position, 1, at, { events: [{ kind: "AgentSeen", agent: `a${at}` }] });
      messages.push(entry.bytes);
      ({ position } = entry);
    }
    const source = { top: count, at: (sequence: number) => messages[sequence - 1] ?? null };
    const signedAt = signedAtIn("mesh", keys.trust);
    const salvage = salvageJournal({ sources: [source], heads: [], signedAt });
    assert.ok(salvage.kind === "whole");
    whole = salvage;
    place = valueOf(await outsideJournal(mesh.home, credential));
    administrator = await streamAdministrator(mesh.home);
  });
  after(async () => {
    await administrator.close();
    await place.close();
    await bus.close();
    await mesh.close();
  });

  const fault = async () => {
    const found = await place.read(() => null);
    return found === null ? "no server" : journalFault(found, whole);
  };
  const replace = async () => place.replace(whole, await place.read(() => null), subject);

  test("a lost tail is put back, all of it and nothing twice", async () => {
    assert.match((await fault()) ?? "", /message 1 is missing/);
    valueOf(await replace());
    assert.equal(await fault(), null);
    await administrator.deleteStream(name);
    await bus.ensureStream({ name, subjects: [subject], retention: "limits" });
    for (const bytes of messages.slice(0, 7)) await bus.append(name, subject, bytes);
    assert.match((await fault()) ?? "", /message 8 is missing/);
    valueOf(await replace());
    assert.equal(await fault(), null);
  });

  test("a stream that is gone is made anew", async () => {
    await administrator.deleteStream(name);
    assert.equal(await fault(), "there is no journal");
    valueOf(await replace());
    assert.equal(await fault(), null);
  });

  test("a message that is gone in the middle, or one too many, is refused with what its owner has to do", async () => {
    await administrator.deleteMessage(name, 12);
    assert.match((await fault()) ?? "", /message 12 is missing/);
    assert.match(
      messageOf(await replace()),
      /move the folder of its stream TM_mesh_JOURNAL away.*nothing was changed/,
    );
    await administrator.deleteStream(name);
    valueOf(await replace());
    await bus.append(name, subject, messages[0] ?? Buffer.of());
    assert.match((await fault()) ?? "", /it counts messages 1 to 301, and has 1 to 300/);
    assert.match(messageOf(await replace()), /nothing was changed/);
  });
});
