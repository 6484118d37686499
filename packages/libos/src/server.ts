/**
 * The answering side of a protocol: the loop that receives, checks, dispatches and answers.
 *
 * Its caller's requests are hostile until proven: a message of another protocol is answered
 * `UNSUPPORTED`, a malformed one `RANGE`, capabilities nobody asked for are deleted, and none of that
 * reaches a handler. What a handler throws is either an answer (`IpcError`) or a fault of this server,
 * which ends it: init restarts it.
 */
import { Err, type Sys } from "@capos/abi";
import { IpcError } from "./ipc-error.js";
import {
  decodeFields,
  encodeFields,
  type Given,
  type Message,
  type Received,
  type Values,
} from "./message.js";
import type { MethodEntry, Methods } from "./method.js";
import type { Slots } from "./slots.js";
import { isSteps, type MaybeSteps, type Steps } from "./steps.js";
import { replyRecvWith, replyToWith, replyWith } from "./trap.js";

/** What a handler returns when it saved the reply for later. */
export type Deferred = "deferred";
// Annotated, else a generator that returns it would be taken to return any string.
export const DEFERRED: Deferred = "deferred";

/** What a handler knows of the request at hand, and what it can do besides answering. */
export interface RequestContext {
  /** The badge of the capability that the request came through: which client this is. */
  readonly badge: number;
  /** The name of the method. */
  readonly method: string;
  /**
   * Saves the reply into the empty slot `index` of one's own CSpace and gives its handle. The handler
   * then returns `DEFERRED` and the request is answered later, with the protocol's `answer` or with
   * `refuse`. Throws `IpcError`: `SLOT_OCCUPIED`, or `NO_REPLY` for a message that was sent, not called.
   */
  defer(index: number): Steps<number>;
  /** Makes `serve` return once this request is answered. */
  end(): void;
}

/** What `onNotification` can do besides. */
export interface NotificationContext {
  /** Makes `serve` return. */
  end(): void;
}

/**
 * One function a method: a plain one, or a generator if it traps. Capabilities in the request belong to
 * the handler, also when it throws. A method whose reply has no fields may return nothing.
 */
export type Handlers<M extends Methods> = {
  readonly [N in keyof M]: (
    request: Received<M[N]["request"]>,
    context: RequestContext,
    // biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of a function that may return nothing
  ) => MaybeSteps<Given<M[N]["reply"]> | Deferred | (keyof M[N]["reply"] extends never ? void : never)>;
};

/** How to serve. */
export interface ServeOptions {
  /** Where capabilities in requests are received; needed only if a request carries some. */
  readonly slots?: Slots;
  /** Called with the bits of the thread's bound notification each time it ends the wait for a request. */
  readonly onNotification?: (bits: number, context: NotificationContext) => MaybeSteps<void>;
}

type AnyHandler = (request: Values, context: RequestContext) => MaybeSteps<Values | Deferred | undefined>;

const NOTHING: Values = Object.freeze({});

/** Handles on their way out. Filled and used up between two traps. */
const outgoing: number[] = [0, 0, 0, 0];

/** The one context of a serving loop: it handles one request at a time. */
class Context implements RequestContext {
  badge = 0;
  method = "";
  ended = false;
  /** The saved reply of the request at hand, or 0. */
  saved = 0;

  constructor(private readonly sys: Sys) {}

  *defer(index: number): Steps<number> {
    const answer = yield this.sys.saveReply(index);
    if (answer < 0) throw new IpcError(answer, `defer ${this.method}`);
    this.saved = this.sys.capability(0);
    return this.saved;
  }

  end(): void {
    this.ended = true;
  }
}

/** The slots that the next message's capabilities go to. Never more than what some request carries. */
class Window {
  first = 0;

  constructor(
    readonly size: number,
    private readonly slots: Slots | undefined,
  ) {}

  /** Opens the window before a receive; without free slots the server is deaf to capabilities, not dead. */
  open(sys: Sys): void {
    if (this.size > 0 && this.first === 0) this.first = this.slots!.tryTake(this.size);
    sys.receiveInto(this.first, this.first === 0 ? 0 : this.size);
  }

  /** Hands the first `count` slots over to a handler and gives the others back. */
  handOver(count: number): void {
    if (count === 0) return;
    if (count < this.size) this.slots!.give(this.first + count, this.size - count);
    this.first = 0;
  }

  /** Deletes what a refused message brought. */
  *clear(sys: Sys): Steps<void> {
    if (this.first === 0 || sys.arrived() === 0) return;
    const { first } = this;
    this.first = 0;
    yield* this.slots!.dropArrived(sys, first, this.size);
  }

  close(sys: Sys): void {
    sys.receiveInto(0, 0);
    if (this.first !== 0) this.slots!.give(this.first, this.size);
    this.first = 0;
  }
}

/**
 * Serves a protocol on an endpoint (RECEIVE) until a handler ends it.
 *
 * Throws `IpcError` if the endpoint cannot be received from any more (`REVOKED`, `BAD_CAP`, ...), and
 * whatever a handler throws that is no `IpcError`.
 */
export function* serve(
  sys: Sys,
  endpoint: number,
  protocolName: string,
  methods: readonly MethodEntry[],
  handlers: Readonly<Record<string, AnyHandler>>,
  options: ServeOptions,
): Steps<void> {
  const { words } = sys;
  const firstWord0 = methods.length === 0 ? 0 : methods[0]!.word0;
  const carried = methods.reduce((most, { request }) => Math.max(most, request.capabilities), 0);
  if (carried > 0 && options.slots === undefined) {
    throw new TypeError(
      `${protocolName} has requests that carry capabilities: its server needs slots for them`,
    );
  }
  const window = new Window(carried, options.slots);
  const context = new Context(sys);

  window.open(sys);
  let count = yield sys.recv(endpoint);
  for (;;) {
    if (count < 0) {
      window.close(sys);
      throw new IpcError(count, `${protocolName}: receive`);
    }
    // Words of the answer; 0 if there is nothing to answer.
    let answerCount = 0;
    let answerCapabilities = 0;

    if (sys.notified()) {
      const result = options.onNotification?.(sys.badge(), context);
      if (isSteps(result)) yield* result;
    } else {
      const number = count === 0 ? -1 : words[0]! - firstWord0;
      const entry = methods[number];
      const request =
        entry === undefined ? null : decodeFields(entry.request, words, count, sys.arrived(), sys);
      if (entry === undefined || request === null) {
        const deaf = window.first === 0 && entry !== undefined && entry.request.capabilities > 0;
        const status = entry === undefined ? Err.UNSUPPORTED : deaf ? Err.NO_RESOURCE : Err.RANGE;
        yield* window.clear(sys);
        words[0] = status;
        answerCount = 1;
      } else {
        context.badge = sys.badge();
        context.method = entry.name;
        context.saved = 0;
        window.handOver(entry.request.capabilities);
        // Not a generator of its own: that would cost every request 50 ns.
        try {
          let result = handlers[entry.name]!(request, context);
          if (isSteps(result)) result = yield* result;
          answerCount = writeAnswer(sys, entry.reply, result, context);
          answerCapabilities = entry.reply.capabilities;
        } catch (error) {
          if (!(error instanceof IpcError)) throw error;
          if (context.saved !== 0) yield* refuse(sys, context.saved, error.code);
          else {
            words[0] = error.code;
            answerCount = 1;
          }
        }
      }
    }

    if (context.ended) {
      window.close(sys);
      if (answerCount > 0) yield replyWith(sys, answerCount, outgoing, answerCapabilities);
      return;
    }
    window.open(sys);
    if (answerCount > 0) {
      count = yield replyRecvWith(sys, endpoint, answerCount, outgoing, answerCapabilities);
      if (count >= 0) continue;
      // Which half failed is not said, and nothing has overwritten the answer: if it has not gone, it
      // goes now; if it has, there is no call to answer any more and this changes nothing.
      yield replyWith(sys, answerCount, outgoing, answerCapabilities);
    }
    count = yield sys.recv(endpoint);
  }
}

/** Writes what a handler returned into the words. Gives the number of words, 0 if the answer comes later. */
function writeAnswer(
  sys: Sys,
  message: Message,
  result: Values | Deferred | undefined,
  context: Context,
): number {
  if ((result === DEFERRED) !== (context.saved !== 0)) {
    throw new TypeError(`${context.method}: a handler defers and returns DEFERRED, or does neither`);
  }
  if (result === DEFERRED) return 0;
  const count = encodeFields(message, sys.words, (result as Values | undefined) ?? NOTHING, outgoing);
  sys.words[0] = Err.OK;
  return count;
}

/** Answers through a saved reply: what `Protocol.answer` does. */
export function* answerSaved(sys: Sys, reply: number, message: Message, value: Values): Steps<void> {
  const count = encodeFields(message, sys.words, value, outgoing);
  sys.words[0] = Err.OK;
  const answer = yield replyToWith(sys, reply, count, outgoing, message.capabilities);
  if (answer < 0) throw new IpcError(answer, message.title);
}

/** Answers a deferred request of any protocol with an error, one of `Err`. Does nothing if nobody waits for it any more. */
export function* refuse(sys: Sys, reply: number, code: number): Steps<void> {
  sys.words[0] = code;
  yield sys.replyTo(reply, 1);
}
