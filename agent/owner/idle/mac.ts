/** macOS: the time since the last keyboard or pointer event, as the HID system of the kernel counts it (`ioreg`). */
import { askProgram } from "../../../system/ask-program.ts";
import type { IdleReading, IdleSource } from "./idle-source.ts";

const nsPerMs = 1e6;

export function macInput(): IdleSource {
  return {
    name: "hid",
    read: async () => {
      const answer = await askProgram("ioreg", ["-c", "IOHIDSystem", "-r", "-k", "HIDIdleTime", "-d", "1"]);
      return answer.ok ? readIoreg(answer.text) : { kind: "unknown", why: answer.why };
    },
  };
}

/** `    "HIDIdleTime" = 1186000291`, ns; of several, the least. */
export function readIoreg(text: string): IdleReading {
  const found = [...text.matchAll(/"HIDIdleTime" = (\d+)/g)].map((match) => Number(match[1]));
  return found.length === 0
    ? { kind: "unknown", why: "ioreg shows no HIDIdleTime" }
    : { kind: "idle", source: "hid", ms: Math.min(...found) / nsPerMs };
}
