/** Whether a server lets a connection publish or subscribe. Not a test. */
import { PermissionViolationError, type NatsConnection } from "@nats-io/transport-node";

/** Publishes, and returns the refused subject, or null when it was let through. */
export async function refusedPublish(connection: NatsConnection, subject: string): Promise<string | null> {
  const refused = nextViolation(connection, "publish");
  connection.publish(subject, "{}");
  await connection.flush();
  const violation = await Promise.race([refused.violation, settle(connection)]);
  refused.stop();
  return violation;
}

export async function deniedSubscribe(connection: NatsConnection, subject: string): Promise<boolean> {
  const refused = Promise.withResolvers<boolean>();
  const subscription = connection.subscribe(subject, {
    callback: (error) => {
      if (error instanceof PermissionViolationError) refused.resolve(true);
    },
  });
  await connection.flush();
  const denied = await Promise.race([refused.promise, settle(connection).then(() => false)]);
  subscription.unsubscribe();
  return denied;
}

/** The server writes a refusal before the answer to a later ping, so two round trips settle it. */
export async function settle(connection: NatsConnection): Promise<null> {
  await connection.flush();
  await connection.flush();
  return null;
}

function nextViolation(connection: NatsConnection, operation: string) {
  const found = Promise.withResolvers<string | null>();
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) {
      if (
        status.type === "error" &&
        status.error instanceof PermissionViolationError &&
        status.error.operation === operation
      ) {
        found.resolve(status.error.subject);
      }
    }
  })();
  return { violation: found.promise, stop: () => found.resolve(null) };
}
