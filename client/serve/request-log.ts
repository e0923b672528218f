/**
 * SERVE-15. A line for a share of the answers: what was asked, cut short and with personal data masked by the detectors of dataset profiles, and
 * what was answered. Off unless somebody wants it.
 */
import { withoutPersonal } from "../../data/profile/personal-data.ts";
import type { AnsweredRequest } from "../../serving/server/answer-request.ts";
import { bestOf } from "../../serving/protocol/best-label.ts";

interface RequestLogOptions {
  /** Of the answers, 0 to 1. */
  readonly share: number;
  readonly draw: () => number;
  readonly say: (line: string) => void;
}

const shownCharactersMax = 200;
/** Further than what is shown, so that nothing personal is cut in two where the line ends. */
const looked = 5 * shownCharactersMax;

export function requestLog({ draw, say, share }: RequestLogOptions): (answered: AnsweredRequest) => void {
  return (answered) => {
    if (draw() < share) say(JSON.stringify(entryOf(answered)));
  };
}

/** The first row stands for all of them. */
function entryOf({ answerId, answers, caller, lane, ms, rows }: AnsweredRequest): object {
  const asked: unknown[] =
    rows.kind === "texts" ? [rows.texts[0]] : [...rows.rows.columns.values()].map(([first]) => first);
  const { labels } = lane.described.model.signature;
  const given =
    answers.kind === "values" ? answers.values[0] : labels?.[bestOf(answers.probabilities, 0, labels.length)];
  return {
    ...{
      answer: answerId,
      rows: rows.count,
      ms: Number(ms.toFixed(3)),
      ...(caller === null ? {} : { caller }),
    },
    asked: asked.map((value) =>
      typeof value === "string"
        ? withoutPersonal(value.slice(0, looked)).slice(0, shownCharactersMax)
        : value,
    ),
    given,
  };
}
