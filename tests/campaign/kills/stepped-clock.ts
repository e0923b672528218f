/**
 * Loaded before a process's own code: its wall clock, and nothing else of its time, is set off by as many milliseconds as
 * the file says that TRIALMESH_TEST_CLOCK names, also while it runs. The monotonic clock goes on, as on a machine whose
 * clock is set.
 */
import { readFileSync } from "node:fs";

const lookMs = 200;
const file = process.env["TRIALMESH_TEST_CLOCK"] ?? "";
const ownNow = Date.now;
const OwnDate = Date;
let offsetMs = 0;

function look(): void {
  try {
    offsetMs = Number(readFileSync(file, "utf8")) || 0;
  } catch {
    offsetMs = 0;
  }
}

look();
setInterval(look, lookMs).unref();

globalThis.Date = new Proxy(OwnDate, {
  construct: (target, given: unknown[], newTarget) =>
    Reflect.construct(target, given.length === 0 ? [ownNow() + offsetMs] : given, newTarget) as Date,
  apply: () => new OwnDate(ownNow() + offsetMs).toString(),
  get: (target, name): unknown => (name === "now" ? () => ownNow() + offsetMs : Reflect.get(target, name)),
});
