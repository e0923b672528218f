/**
 * Every role against every subject of the table, its own and another's: who may publish on it and who may subscribe to
 * it, on a real server. The table here is written by hand and not taken from `permissionsOf`.
 */
import type { NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { orderNames, roles, streamsOf, subjectsOf, type Role } from "../../protocol/subjects.ts";
import { deniedSubscribe, refusedPublish } from "./denied.ts";
import { connectAs, minted, openOwnMesh, withoutServer, type OwnMesh } from "./own-mesh.ts";

const mesh = "table";
const subjects = subjectsOf(mesh);
const streams = streamsOf(mesh);
const me = "me";

interface Row {
  readonly subject: string;
  readonly says: readonly Role[];
  readonly hears: readonly Role[];
}
const row = (subject: string, says: readonly Role[], hears: readonly Role[]): Row => ({
  subject,
  says,
  hears,
});
const nobody: readonly Role[] = [];
const coordinators: readonly Role[] = ["coordinator"];
const people: readonly Role[] = ["owner", "requester", "viewer"];
const others = roles.filter((role) => role !== "coordinator");

const table: readonly Row[] = [
  row(subjects.journal("secret"), coordinators, nobody),
  row(subjects.epoch, coordinators, roles),
  ...roles.flatMap((role) => [
    row(
      subjects.command(role, me, "sweep-run"),
      role === "owner" || role === "requester" ? [role] : nobody,
      coordinators,
    ),
    row(subjects.command(role, "other", "sweep-run"), nobody, coordinators),
    row(subjects.query(role, me, "ping"), role === "agent" ? nobody : [role], coordinators),
    row(subjects.query(role, "other", "ping"), nobody, coordinators),
    row(`_INBOX.${role}.${me}.x`, nobody, [role]),
    row(`_INBOX.${role}.other.x`, nobody, nobody),
  ]),
  row(`tm.v1.${mesh}.>`, nobody, nobody),
  row(subjects.register(me), ["agent"], coordinators),
  row(subjects.register("other"), nobody, coordinators),
  row(subjects.heartbeat(me), ["agent"], coordinators),
  row(subjects.heartbeat("other"), nobody, coordinators),
  row(subjects.inbox(me), ["agent"], nobody),
  row(subjects.inbox("other"), nobody, nobody),
  ...orderNames.flatMap((order) => [
    row(subjects.order(me, order), coordinators, ["agent"]),
    row(subjects.order("other", order), coordinators, nobody),
    row(subjects.order("*", order), nobody, nobody),
  ]),
  row(subjects.metric(me, "s1", "t1"), ["agent"], people),
  row(subjects.metric("other", "s1", "t1"), nobody, people),
  row(subjects.log(me, "s1", "t1"), ["agent"], people),
  row(subjects.log("other", "s1", "t1"), nobody, people),
  row(subjects.blob("abc", 1), ["owner", "requester", "agent", "coordinator"], nobody),
  row(subjects.pack(7), ["owner", "requester", "agent", "coordinator"], nobody),
  row(subjects.prove, others, coordinators),
  row(`${subjects.prove}.agent.${me}`, nobody, coordinators),
  row(subjects.track, ["owner", "requester", "agent"], nobody),
  row(`${subjects.track}.agent.${me}`, nobody, coordinators),
  row(`$JS.API.STREAM.PURGE.${streams.blobs}`, coordinators, nobody),
  row(subjects.stored("abc", 1), others, nobody),
  row(`$JS.API.STREAM.INFO.${streams.journal}`, coordinators, nobody),
  row(`$JS.API.STREAM.MSG.GET.${streams.journal}`, coordinators, nobody),
  row(`$JS.API.CONSUMER.MSG.NEXT.${streams.inbox}.coordinator`, coordinators, nobody),
  ...["STREAM.DELETE", "STREAM.PURGE", "STREAM.MSG.DELETE", "STREAM.SNAPSHOT", "STREAM.RESTORE"].map((verb) =>
    row(`$JS.API.${verb}.${streams.journal}`, nobody, nobody),
  ),
  row(`$JS.API.CONSUMER.CREATE.${streams.journal}.x`, nobody, nobody),
  row("$SYS.REQ.CLAIMS.UPDATE", nobody, nobody),
  row("_R_.x", nobody, nobody),
  row(">", nobody, nobody),
];

describe("ID-14: each role, each subject", { skip: withoutServer, timeout: 120_000 }, () => {
  let own: OwnMesh;
  const connections = new Map<Role, NatsConnection>();
  before(async () => {
    own = await openOwnMesh(mesh);
    for (const role of roles)
      connections.set(role, await connectAs(own.home, await minted(own.home, role, me)));
  });
  after(async () => {
    for (const connection of connections.values()) await connection.close();
    await own.close();
  });

  for (const role of roles)
    test(`${role} says and hears what the table gives it, and nothing else`, async () => {
      const connection = connections.get(role) ?? assert.fail(role);
      const said: string[] = [];
      const heard: string[] = [];
      for (const { subject } of table) {
        if (!/[*>]/.test(subject) && (await refusedPublish(connection, subject)) === null) said.push(subject);
        if (!(await deniedSubscribe(connection, subject))) heard.push(subject);
      }
      const given = (list: "says" | "hears") =>
        table.filter((line) => line[list].includes(role)).map(({ subject }) => subject);
      assert.deepEqual(said, given("says"));
      assert.deepEqual(heard, given("hears"));
    });
});
