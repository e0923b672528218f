/**
 * Takes secrets out of what is said of a program: a value as it is, line by line where it has several, and as base64, base64url,
 * hexadecimal, a part of a URL or of JSON. What a program makes of a value otherwise, or says in pieces, is not recognised.
 */
import type { RunnerEvent } from "../runner/runner.ts";

export type Mask = (event: RunnerEvent) => RunnerEvent;

const stars = "***";
/** A shorter line of a value stands everywhere. */
const lineCharactersMin = 6;

/** SECRET-3. */
export function maskOf(values: readonly string[]): Mask {
  const forms = [...new Set(values.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  if (forms.length === 0) return (event) => event;
  const masked = (text: string): string =>
    forms.reduce((rest, form) => (rest.includes(form) ? rest.replaceAll(form, stars) : rest), text);
  return (event) => {
    switch (event.kind) {
      case "log":
        return { ...event, line: masked(event.line) };
      case "failed":
        return {
          ...event,
          reason: masked(event.reason),
          ...(event.lacks === undefined ? {} : { lacks: masked(event.lacks) }),
        };
      case "started":
      case "exited":
      case "serving":
        return event;
      case "epoch":
      case "checkpoint":
      case "finished":
      case "stopped":
      case "point":
        return { ...event, metrics: maskedNames(event.metrics, masked) };
    }
  };
}

function maskedNames(
  metrics: Readonly<Record<string, number>>,
  masked: (text: string) => string,
): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [masked(name), value]));
}

function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  return [value, ...lines.filter((line) => line.length >= lineCharactersMin)].flatMap(writtenForms);
}

function writtenForms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [
    ...[text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)],
    ...[...base64Forms(bytes), bytes.toString("hex"), bytes.toString("hex").toUpperCase()],
  ].filter((form) => form.length >= lineCharactersMin);
}

/** Within something longer that was encoded as a whole the first and last characters hang on what stands beside it. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = before === 0 ? 0 : before + 1;
    const whole = Math.floor((padded.length * 8) / 6);
    return (["base64", "base64url"] as const).map((form) => padded.toString(form).slice(from, whole));
  });
}
