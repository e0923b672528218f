/** ROLL-4. Takes the truth of an answer where a version is on trial: it decides then who was right. */
import type { ServerResponse } from "node:http";
import { readFeedback } from "../protocol/feedback-request.ts";
import { quoted, turnDown, type RefusalStatus } from "../protocol/http-refusal.ts";
import type { RequestBody } from "../protocol/request-body.ts";
import { answersRememberedMax } from "../rollout/answer-memory.ts";
import type { Feedback } from "../rollout/rollout.ts";
import type { ModelTable } from "./model-table.ts";
import { replyJson, replyRefusal } from "./reply.ts";

const refusals: Readonly<Record<Exclude<Feedback, "counted">, readonly [RefusalStatus, string]>> = {
  unknown: [
    404,
    `is not remembered: it is none of the newest ${answersRememberedMax} requests that were sent to whichever version is on trial`,
  ],
  "told-before": [400, "has its truth already; each answer is told once"],
  "rows-differ": [
    400,
    "has another number of rows; the truth is a list with one for each row of the request",
  ],
};

export function answerFeedback(
  table: ModelTable,
  model: string,
  body: RequestBody,
  response: ServerResponse,
): void {
  const refuse = (status: RefusalStatus, message: string) =>
    replyRefusal(response, turnDown(status, message).down, "open-inference");
  const found = table.find(model, null);
  if (!found.ok) return replyRefusal(response, found.down, "open-inference");
  const desk = table.desk(model);
  if (desk === null) return refuse(404, `${model} has no version on trial here, so nothing is compared`);
  const feedback = readFeedback(body, found.value.described);
  if (!feedback.ok) return replyRefusal(response, feedback.down, "open-inference");
  const { answer, id, truth } = feedback.value;
  const told = desk.tell(id, truth);
  if (told === "counted") return replyJson(response, 200, { answer, counted: true });
  const [status, why] = refusals[told];
  refuse(status, `the answer ${quoted(answer)} ${why}`);
}
