/**
 * SERVE-9. One request from its first line to its answer: which route, whether the caller may, the body, the rows, the lane, the answer in the
 * form of the protocol that asked. Every way out is an answer with a sentence, or nothing where nobody is there to hear it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Lane } from "../batch/lane.ts";
import { observe } from "../batch/histogram.ts";
import type { Answers } from "../model/served-model.ts";
import { fitColumns } from "../protocol/asked-columns.ts";
import type { AskedRows } from "../protocol/asked-rows.ts";
import type { DescribedModel } from "../protocol/described-model.ts";
import { turnDown, type HttpRefusal, type Reading } from "../protocol/http-refusal.ts";
import { writeInfer } from "../protocol/infer-answer.ts";
import { readInfer } from "../protocol/infer-request.ts";
import { readInvocation, writeInvocation } from "../protocol/mlflow-request.ts";
import { readPlain, writePlain } from "../protocol/plain-request.ts";
import type { RefusalForm } from "../protocol/refusal-form.ts";
import { readContentType, type ParquetRows, type RequestBody } from "../protocol/request-body.ts";
import { answerNumbersMax } from "../protocol/serving-limit.ts";
import type { WrittenAnswer } from "../protocol/written-answer.ts";
import { answerFeedback } from "./answer-feedback.ts";
import { answerQuestion } from "./answer-question.ts";
import type { CallerKeys } from "./caller-key.ts";
import type { ModelTable } from "./model-table.ts";
import { parquetTypes, type ParquetReader } from "./parquet-body.ts";
import { receiveBody, type HeldBytes } from "./receive-body.ts";
import { replyRefusal, replyWith } from "./reply.ts";
import { readWhole, type WholeAsked } from "./read-whole.ts";
import { readHeaders, type RequestHeaders } from "./request-header.ts";
import type { RolloutDesk } from "./rollout-desk.ts";
import { routeOf, type AskingRoute, type Route } from "./route.ts";

export interface RequestContext {
  readonly table: ModelTable;
  /** Null where anybody may ask. */
  readonly keys: CallerKeys | null;
  readonly held: HeldBytes;
  readonly parquet: ParquetReader;
  /** Milliseconds, rising. */
  readonly now: () => number;
  /** The end of an answer's id, new each time; letters and digits. */
  readonly newId: () => string;
  /** False once the server is to end. */
  readonly isOpen: () => boolean;
  /** Told of each answer, where a share of them is logged. */
  readonly onAnswer?: (answered: AnsweredRequest) => void;
}

export interface AnsweredRequest {
  readonly lane: Lane;
  readonly rows: AskedRows;
  readonly answers: Answers;
  readonly answerId: string;
  readonly caller: string | null;
  readonly ms: number;
}

/** A request as rows, with how its answer is written. */
interface Asked {
  readonly rows: AskedRows;
  readonly write: (answers: Answers, answerId: string) => WrittenAnswer;
}

export function answerRequest(
  context: RequestContext,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { method = "", url = "" } = request;
  const route = routeOf(method, url);
  if (!route.ok) return refuseUnread(request, response, route.down, "open-inference");
  const { value } = route;
  const form: RefusalForm = value.kind === "invocation" ? "mlflow" : "open-inference";
  const headers = readHeaders(request.rawHeaders);
  const caller = callerOf(context, value, headers, request.socket);
  if (!caller.ok) return refuseUnread(request, response, caller.down, form);
  if (isAsking(value)) {
    new Asking(context, response, value, form, caller.value).receive(request, headers);
  } else if (value.kind === "feedback") {
    receiveWith(context, request, headers, (body) => {
      if (body.ok) answerFeedback(context.table, value.model, body.value, response);
      else replyRefusal(response, body.down, form);
    });
  } else {
    request.resume();
    answerQuestion(context, value, response);
  }
}

export function isAsking(route: Route): route is AskingRoute {
  return route.kind === "infer" || route.kind === "plain" || route.kind === "invocation";
}

function receiveWith(
  { held }: RequestContext,
  request: IncomingMessage,
  { contentEncoding, contentLength, contentType, inferenceHeader }: RequestHeaders,
  done: (body: Reading<RequestBody>) => void,
): void {
  const length = contentLength === null ? null : Number(contentLength);
  receiveBody(request, { length, encoding: contentEncoding }, held, (body) => {
    if (!body.ok) return done(body);
    done({ ok: true, value: { bytes: body.value, ...readContentType(contentType), inferenceHeader } });
  });
}

/** Without reading its body; the connection stays open where there is little left of it. */
function refuseUnread(
  request: IncomingMessage,
  response: ServerResponse,
  down: HttpRefusal,
  form: RefusalForm,
): void {
  request.resume();
  replyRefusal(response, down, form);
}

/** Health is for whoever balances load, and the form has nothing in it: neither needs a key. */
export const keyless: readonly Route["kind"][] = ["server-live", "server-ready", "mlflow-ping", "form"];

function callerOf(
  { keys, now }: RequestContext,
  route: Route,
  { authorization }: RequestHeaders,
  connection: object,
): Reading<string | null> {
  if (keys === null || keyless.includes(route.kind)) return { ok: true, value: null };
  return keys.admit(authorization, now(), isAsking(route) || route.kind === "feedback", connection);
}

/** From here on a status of HTTP says that nothing was answered. */
const failureStatusMin = 400;

/** A request that wants rows answered. */
class Asking {
  readonly #context: RequestContext;
  readonly #response: ServerResponse;
  readonly #route: AskingRoute;
  readonly #form: RefusalForm;
  readonly #caller: string | null;
  readonly #started: number;

  constructor(
    context: RequestContext,
    response: ServerResponse,
    route: AskingRoute,
    form: RefusalForm,
    caller: string | null,
  ) {
    this.#context = context;
    this.#response = response;
    this.#route = route;
    this.#form = form;
    this.#caller = caller;
    this.#started = context.now();
  }

  receive(request: IncomingMessage, headers: RequestHeaders): void {
    receiveWith(this.#context, request, headers, (body) => {
      if (!body.ok) return replyRefusal(this.#response, body.down, this.#form);
      if (this.#isParquet(body.value)) void this.#askParquet(body.value);
      else this.#ask(body.value);
    });
  }

  /** A model of a program's own reads its bodies itself. */
  #isParquet({ contentType }: RequestBody): boolean {
    if (this.#route.kind !== "invocation" || !parquetTypes.includes(contentType)) return false;
    const first = this.#context.table.first();
    return !first.ok || first.value.described.model.program === undefined;
  }

  /** Its rows first, for reading them takes a while; then as any other. */
  async #askParquet(body: RequestBody): Promise<void> {
    const { parquet, table } = this.#context;
    const first = table.first();
    if (!first.ok) return replyRefusal(this.#response, first.down, this.#form);
    const wanted = first.value.described.model.signature.inputs.map(({ name }) => name);
    this.#ask({ ...body, parquet: await parquet.read(body.bytes, wanted) });
  }

  /** The lane is chosen once all is there, and asked at once: one that is retired has nobody on the way to it. */
  #ask(body: RequestBody): void {
    const { newId, table } = this.#context;
    const route = this.#route;
    const found = route.kind === "invocation" ? table.first() : table.find(route.model, route.version);
    if (!found.ok) return replyRefusal(this.#response, found.down, this.#form);
    const id = newId();
    const isPinned = route.kind !== "invocation" && route.version !== null;
    const desk = isPinned ? null : table.desk(found.value.described.model.model);
    const lane = desk?.laneFor(id) ?? found.value;
    const whole = readWhole(route, body, lane.described);
    if (whole === null) this.#askLane(lane, body, id, desk);
    else this.#askWhole(lane, body.bytes.length, whole, id);
  }

  /** `onMs`: told how long the answer took, if there is one. */
  #askLane(
    lane: Lane,
    body: RequestBody,
    id: string,
    desk: RolloutDesk | null,
    onMs?: (ms: number) => void,
  ): void {
    const asked = readAsked(this.#route, body, lane.described);
    lane.counters.inProgress++;
    if (!asked.ok) return this.#refuse(lane, asked.down);
    const { rows, write } = asked.value;
    const large = largeAnswer(rows.count, lane.described);
    if (large !== null) return this.#refuse(lane, large);
    const askedAt = desk === null ? 0 : this.#context.now();
    const trial = desk?.isCanary(lane) === true ? this.#tryCanary(desk, lane, rows, body, id) : null;
    const done = (answers: Reading<Answers>) => {
      trial?.end();
      if (!answers.ok && trial !== null) return trial.giveUp(answers);
      if (answers.ok) this.#answer(lane, rows, answers.value, write, id);
      else this.#refuse(lane, answers.down);
      if (desk === null) return;
      const ms = this.#context.now() - askedAt;
      if (answers.ok) onMs?.(ms);
      desk.answered(id, lane, rows, answers, ms);
    };
    const full = lane.ask({
      rows,
      bytes: body.bytes.length,
      isGone: () => this.#response.destroyed || trial?.isGivenUp === true,
      onGone: () => {
        trial?.end();
        this.#leave(lane);
      },
      done,
    });
    if (full !== null) done({ ok: false, down: full });
  }

  /** A canary that gives no answer, or none in time, is no caller's trouble: the incumbent answers in its place. */
  #tryCanary(desk: RolloutDesk, lane: Lane, rows: AskedRows, body: RequestBody, id: string) {
    const again = (onMs?: (ms: number) => void) => {
      lane.counters.failure++;
      if (!this.#response.destroyed) this.#askLane(desk.incumbent, body, id, desk, onMs);
    };
    const late = setTimeout(() => {
      trial.isGivenUp = true;
      const down = turnDown(500, `${lane.described.reference} did not answer in time`);
      // What takes the incumbent long too is no fault of the canary's.
      again((ms) => (ms < desk.patienceMs / 2 ? desk.failed(id, lane, rows, down) : null));
    }, desk.patienceMs);
    const trial = {
      isGivenUp: false,
      end: () => clearTimeout(late),
      giveUp: (answers: Reading<Answers>) => {
        this.#leave(lane);
        desk.failed(id, lane, rows, answers);
        again();
      },
    };
    return trial;
  }

  /** What is no rows goes past the lane's batches, in the same bounds. */
  #askWhole(lane: Lane, bytes: number, asked: Reading<WholeAsked>, id: string): void {
    lane.counters.inProgress++;
    if (!asked.ok) return this.#refuse(lane, asked.down);
    const { compute, rows } = asked.value;
    const answerId = lane.described.answerHead + id;
    const full = lane.askWhole({
      ...{ rows, bytes, compute: () => compute(answerId) },
      isGone: () => this.#response.destroyed,
      onGone: () => this.#leave(lane),
      done: (answer) => {
        if (!answer.ok) return this.#refuse(lane, answer.down);
        this.#send(lane, answer.value, answerId);
        this.#leave(lane);
      },
    });
    if (full !== null) this.#refuse(lane, full);
  }

  #answer(lane: Lane, rows: AskedRows, answers: Answers, write: Asked["write"], id: string): void {
    const answerId = lane.described.answerHead + id;
    this.#send(lane, write(answers, answerId), answerId);
    const ms = this.#leave(lane);
    this.#context.onAnswer?.({ lane, rows, answers, answerId, caller: this.#caller, ms });
  }

  #send(lane: Lane, written: WrittenAnswer, answerId: string): void {
    this.#endIfClosing();
    // What the body says already is not said again.
    const isSaid = this.#route.kind !== "invocation" && written.status === undefined;
    const rest = isSaid ? [] : lane.described.headers;
    replyWith(this.#response, written, ["x-trialmesh-answer", answerId, ...rest]);
    if ((written.status ?? 200) < failureStatusMin) lane.counters.success++;
    else lane.counters.failure++;
  }

  #refuse(lane: Lane, down: HttpRefusal): void {
    this.#endIfClosing();
    replyRefusal(this.#response, down, this.#form);
    lane.counters.failure++;
    this.#leave(lane);
  }

  /** A connection that is kept would keep the server from its end. */
  #endIfClosing(): void {
    if (!this.#context.isOpen()) this.#response.shouldKeepAlive = false;
  }

  #leave({ counters }: Lane): number {
    const ms = this.#context.now() - this.#started;
    counters.inProgress--;
    observe(counters.seconds, ms / 1_000);
    return ms;
  }
}

/** What a request of few bytes may be answered with is bounded too. */
export function largeAnswer(count: number, { model }: DescribedModel): HttpRefusal | null {
  const labels = model.signature.labels?.length ?? 1;
  if (count * labels <= answerNumbersMax) return null;
  const most = Math.max(1, Math.floor(answerNumbersMax / labels));
  return {
    status: 413,
    message: `${count} rows have ${labels} probabilities each; ask for at most ${most} rows at once`,
  };
}

function readAsked(route: AskingRoute, body: RequestBody, described: DescribedModel): Reading<Asked> {
  switch (route.kind) {
    case "infer": {
      const infer = readInfer(body, described);
      if (!infer.ok) return infer;
      return asking(infer.value.rows, (answers, id) => writeInfer(described, infer.value, answers, id));
    }
    case "plain": {
      const plain = readPlain(body, described);
      if (!plain.ok) return plain;
      return asking(plain.value.rows, (answers, id) => writePlain(described, plain.value, answers, id));
    }
    case "invocation": {
      const { parquet } = body;
      const rows = parquet === undefined ? readInvocation(body, described) : fitParquet(parquet, described);
      if (!rows.ok) return rows;
      return asking(rows.value, (answers) => writeInvocation(described, rows.value.count, answers));
    }
  }
}

function asking(rows: AskedRows, write: Asked["write"]): Reading<Asked> {
  return { ok: true, value: { rows, write } };
}

function fitParquet(parquet: Reading<ParquetRows>, described: DescribedModel): Reading<AskedRows> {
  return parquet.ok ? fitColumns(described, parquet.value.count, parquet.value.columns) : parquet;
}
