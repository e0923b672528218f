/** The ends of answers' ids: drawn once, then counted, so that no two answers of any server have one id, and none costs a draw. */
import { randomBytes } from "node:crypto";

const idBytes = 6;

export function answerIds(): () => string {
  const start = randomBytes(idBytes).toString("hex");
  let count = 0;
  return () => start + (count++).toString(36);
}
