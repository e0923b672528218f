/**
 * A user who says one thing as often as the server takes it, in a process of its own: `greedy-sender.js URL CREDS SECONDS
 * BYTES CONNECTIONS INBOX SUBJECT…`. A `#` in a subject counts up. Prints how many messages it sent.
 */
import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [url = "", creds = "", seconds = "", bytes = "", connections = "", inbox = "", ...subjects] =
  process.argv.slice(2);
/** Beside the credentials of a home whose server speaks with TLS. */
const authority = join(dirname(dirname(creds)), "tls", "authority.pem");
const tls = existsSync(authority)
  ? { ca: readFileSync(authority, "utf8"), handshakeFirst: true, servername: "localhost" }
  : null;
const perFlush = 500;
const body = process.env["GREEDY_BODY"] ?? "x".repeat(Number(bytes));
let sent = 0;

async function flood(connection: NatsConnection, until: number): Promise<void> {
  while (performance.now() < until && !connection.isClosed()) {
    for (let n = 0; n < perFlush; n++) {
      const subject = subjects[sent % subjects.length] ?? "";
      connection.publish(subject.replace("#", String(sent)), body, { reply: `${inbox}.x` });
      sent++;
    }
    await connection.flush().catch(() => undefined);
  }
  await connection.close();
}

const open = () =>
  connect({
    servers: url,
    ...(tls === null ? {} : { tls }),
    authenticator: credsAuthenticator(readFileSync(creds)),
    inboxPrefix: inbox,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
const opened = await Promise.allSettled(Array.from({ length: Number(connections) }, open));
const until = performance.now() + Number(seconds) * 1_000;
await Promise.all(
  opened.flatMap((each) =>
    each.status === "fulfilled" ? [flood(each.value, until).catch(() => undefined)] : [],
  ),
);
console.log(
  JSON.stringify({ sent, connections: opened.filter(({ status }) => status === "fulfilled").length }),
);
