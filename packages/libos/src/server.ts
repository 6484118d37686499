/**
 * The answering side of a protocol: the loop that receives, checks, dispatches and answers.
 *
 * Its caller's requests are hostile until proven: a message of another protocol is answered
 * `UNSUPPORTED`, a malformed one `RANGE`, capabilities nobody asked for are deleted, and none of that
 * reaches a handler. Whoever asks what the protocol is, is told (see `describe.ts`). What a handler throws is either
 * an answer (`IpcError`) or a fault of this server, which ends it: init restarts it.
 */
import { Err, handleIndex, type Sys } from "@capos/abi";
import { describedPart, writeDescription } from "./describe-method.js";
import { FieldKind } from "./fields.js";
import type { Carried } from "./held.js";
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
import { Outgoing, settle } from "./outgoing.js";
import type { Slots } from "./slots.js";
import { isSteps, type MaybeSteps, type Steps } from "./steps.js";
import { replyRecvWith, replyToWith, replyWith } from "./trap.js";

/** A server's own objects, as `serve` asks for them: `Objects`. */
export interface ObjectTable<T> {
  /** The object that a badge stands for and the rights to it; undefined for a badge that this table did not mint. */
  find(badge: number): { readonly object: T; readonly rights: number } | undefined;
  /** A capability to the object that a badge stands for, with those of its rights that `rights` has. */
  narrow(badge: number, rights: number): Steps<Carried>;
  /** Told by `serve` that nobody holds a capability with this badge any more. */
  forget(badge: number): Steps<void>;
}

/** What a handler returns when the reply is saved for later. */
export type Deferred = "deferred";
/** What a handler returns that has deferred its request. */
// Annotated, else a generator that returns it would be taken to return any string.
export const DEFERRED: Deferred = "deferred";

/**
 * The reply to a deferred request, which is used once. It lies in a slot of the server's, which is given back then.
 * `R` is what the reply of the method holds.
 */
export interface SavedReply<R> {
  /**
   * Answers the request. Throws RangeError if a field cannot hold its value, and can be used then still;
   * `IpcError` if there is nobody left to answer (`BAD_CAP`, `PEER_DIED`), or it was answered before (`NO_REPLY`).
   */
  answer(value: R): Steps<void>;
  /** Answers with an error, one of `Err`. Does nothing if nobody waits for it any more. */
  refuse(code: number): Steps<void>;
}

/** What a handler knows of the request at hand, and what it can do besides answering. */
export interface RequestContext<R = never> {
  /** The badge of the capability that the request came through: which client this is. */
  readonly badge: number;
  /** The name of the method. */
  readonly method: string;
  /**
   * Saves the reply in one of the `slots` that `serve` was given. The handler then returns `DEFERRED`, and the request is
   * answered later. Throws `IpcError`: `NO_RESOURCE` without a free slot, `NO_REPLY` for a message that was
   * sent, not called; TypeError if `serve` was given no slots.
   */
  defer(): Steps<SavedReply<R>>;
  /** Makes `serve` return once this request is answered. */
  end(): void;
}

/** As `RequestContext`, with the object that the request is about. */
export interface ObjectContext<T, R = never> extends RequestContext<R> {
  /** What the badge stands for. For a method that needs no right this is undefined if it stands for none. */
  readonly object: T;
}

/** What `onNotification` and `onNoSenders` can do besides. */
export interface NotificationContext {
  /** Makes `serve` return. */
  end(): void;
}

/**
 * One function a method: a plain one, or a generator if it traps. Capabilities in the request belong to
 * the handler, also when it throws. A method whose reply has no fields may return nothing.
 *
 * `T` is what the server's objects are: a method that needs a right is only called for one of them.
 */
export type Handlers<M extends Methods, T = never> = {
  readonly [N in keyof M]: (
    request: Received<M[N]["request"]>,
    context: M[N] extends { readonly needs: string }
      ? ObjectContext<T, Given<M[N]["reply"], M>>
      : ObjectContext<T | undefined, Given<M[N]["reply"], M>>,
    // biome-ignore lint/suspicious/noConfusingVoidType: it is the return type of a function that may return nothing
  ) => MaybeSteps<Given<M[N]["reply"], M> | Deferred | (keyof M[N]["reply"] extends never ? void : never)>;
};

/** How to serve. */
export interface ServeOptions<T = never> {
  /**
   * Where capabilities in requests are received, what was given away was taken from, and replies are saved; needed
   * only if there are such.
   */
  readonly slots?: Slots;
  /** The server's own objects; needed if a method needs a right to one. */
  readonly objects?: ObjectTable<T>;
  /** Called with the bits of the thread's bound notification each time it ends the wait for a request. */
  readonly onNotification?: (bits: number, context: NotificationContext) => MaybeSteps<void>;
  /** Called when a capability that was minted with this badge has no descendants left. `objects` has forgotten it by then. */
  readonly onNoSenders?: (badge: number, context: NotificationContext) => MaybeSteps<void>;
}

type AnyHandler = (
  request: Values,
  context: ObjectContext<never>,
) => MaybeSteps<Values | Deferred | undefined>;

const NOTHING: Values = Object.freeze({});

/** Capabilities on their way out. Filled and used up between two traps. */
const outgoing = new Outgoing();

/** The one context of a serving loop: it handles one request at a time. */
class Context implements ObjectContext<never, Values> {
  badge = 0;
  object = undefined as never;
  method = "";
  ended = false;
  /** How the request at hand is answered. */
  reply: Message | null = null;
  /** The saved reply of the request at hand, if it was deferred. */
  saved: Saved | null = null;

  constructor(
    private readonly sys: Sys,
    private readonly slots: Slots | undefined,
  ) {}

  begin({ name, reply }: MethodEntry): void {
    this.method = name;
    this.reply = reply;
    this.saved = null;
  }

  *defer(): Steps<SavedReply<Values>> {
    const { sys, slots, reply, method } = this;
    if (slots === undefined) throw new TypeError(`${reply!.title} is deferred: its server needs slots`);
    const index = slots.take();
    const answer = yield sys.saveReply(index);
    if (answer < 0) {
      slots.give(index);
      throw new IpcError(answer, `defer ${method}`);
    }
    this.saved = new Saved(sys, slots, reply!, sys.capability(0));
    return this.saved;
  }

  end(): void {
    this.ended = true;
  }
}

class Saved implements SavedReply<Values> {
  /** @param handle 0 once it is used up */
  constructor(
    private readonly sys: Sys,
    private readonly slots: Slots,
    private readonly message: Message,
    private handle: number,
  ) {}

  *answer(value: Values): Steps<void> {
    const { sys, slots, message, handle } = this;
    if (handle === 0) throw new IpcError(Err.NO_REPLY, message.title);
    const count = encodeFields(message, sys.words, value, outgoing);
    sys.words[0] = Err.OK;
    const leaving =
      message.capabilities > 0 && outgoing.leaves ? outgoing.leaving(message.capabilities) : undefined;
    const answer = yield replyToWith(sys, handle, count, outgoing, message.capabilities);
    this.#usedUp();
    if (leaving !== undefined) yield* settle(sys, slots, leaving);
    if (answer < 0) throw new IpcError(answer, message.title);
  }

  *refuse(code: number): Steps<void> {
    if (this.handle === 0) return;
    this.sys.words[0] = code;
    yield this.sys.replyTo(this.handle, 1);
    this.#usedUp();
  }

  /** Whatever the kernel said: the reply has gone, or died with its caller. */
  #usedUp(): void {
    this.slots.give(handleIndex(this.handle));
    this.handle = 0;
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

/** A method as its server answers it. */
interface Served {
  readonly entry: MethodEntry;
  readonly handler: AnyHandler;
  /** Fields that bring back objects of the server's own, and the rights that they must have. */
  readonly owned: readonly { readonly name: string; readonly rights: number }[];
}

/** Pairs methods and handlers. Throws TypeError for what would only show when somebody calls. */
function prepare(
  protocolName: string,
  methods: readonly MethodEntry[],
  handlers: Readonly<Record<string, AnyHandler>>,
  { slots, objects }: ServeOptions<unknown>,
): Served[] {
  return methods.map((entry) => {
    const { name, needs, request, reply } = entry;
    const title = `${protocolName}.${name}`;
    const narrows = handlers[name] === undefined;
    if ((needs !== 0 || narrows) && objects === undefined)
      throw new TypeError(`${title} is about an object: its server needs a table of them`);
    if (request.slots > 0 && slots === undefined)
      throw new TypeError(`${title} carries capabilities: its server needs slots for them`);
    if (isOwn(reply) && slots === undefined)
      throw new TypeError(
        `${title} gives capabilities away: its server needs the slots they were taken from`,
      );
    const handler: AnyHandler = narrows
      ? function* ({ rights }, { badge }) {
          return { narrowed: yield* objects!.narrow(badge, rights as number) };
        }
      : handlers[name];
    const owned = request.fields
      .filter(({ kind }) => kind === FieldKind.OWN)
      .map((field) => ({ name: field.name, rights: field.objectRights }));
    return { entry, handler, owned };
  });
}

function isOwn(message: Message): boolean {
  return message.fields.some(({ kind }) => kind === FieldKind.OWN);
}

/** Whether a request may be made through the badge it came with, as the table of objects says. Notes the object. */
function isPermitted(
  served: Served,
  request: Values,
  context: Context,
  objects: ObjectTable<unknown>,
): boolean {
  const { entry, owned } = served;
  const found = objects.find(context.badge);
  context.object = found?.object as never;
  if (entry.needs !== 0 && (found === undefined || (found.rights & entry.needs) === 0)) return false;
  for (const { name, rights } of owned) {
    const given = objects.find(request[name] as number);
    if (given === undefined || (given.rights & rights) !== rights) return false;
  }
  return true;
}

/** What of a protocol is needed to serve it. */
interface ServedProtocol {
  readonly name: string;
  readonly methods: readonly MethodEntry[];
  readonly description: string;
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
  { name: protocolName, methods, description }: ServedProtocol,
  handlers: Readonly<Record<string, AnyHandler>>,
  options: ServeOptions<unknown>,
): Steps<void> {
  const { words } = sys;
  const { slots, objects } = options;
  const firstWord0 = methods.length === 0 ? 0 : methods[0].word0;
  const served = prepare(protocolName, methods, handlers, options);
  const window = new Window(
    methods.reduce((most, { request }) => Math.max(most, request.slots), 0),
    slots,
  );
  const context = new Context(sys, slots);

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

    if (sys.noSenders()) {
      const badge = sys.badge();
      if (objects !== undefined) yield* objects.forget(badge);
      const result = options.onNoSenders?.(badge, context);
      if (isSteps(result)) yield* result;
    } else if (sys.notified()) {
      const result = options.onNotification?.(sys.badge(), context);
      if (isSteps(result)) yield* result;
    } else {
      const found = count === 0 ? undefined : served[words[0] - firstWord0];
      const request =
        found === undefined ? null : decodeFields(found.entry.request, words, count, sys.arrived(), sys);
      context.badge = sys.badge();
      let status: Err = Err.OK;
      if (found === undefined) status = Err.UNSUPPORTED;
      else if (request === null)
        status = window.first === 0 && found.entry.request.slots > 0 ? Err.NO_RESOURCE : Err.RANGE;
      else if (objects !== undefined && !isPermitted(found, request, context, objects)) status = Err.DENIED;
      if (status !== Err.OK) {
        const part = describedPart(words, count, sys.arrived());
        if (part >= 0) answerCount = writeDescription(words, description, part);
        else {
          yield* window.clear(sys);
          words[0] = status;
          answerCount = 1;
        }
      } else {
        const { entry, handler } = found!;
        context.begin(entry);
        window.handOver(entry.request.slots);
        // Not a generator of its own: that would cost every request 50 ns.
        try {
          let result = handler(request!, context);
          if (isSteps(result)) result = yield* result;
          answerCount = writeAnswer(sys, entry.reply, result, context);
          answerCapabilities = entry.reply.capabilities;
        } catch (error) {
          if (!(error instanceof IpcError)) throw error;
          if (context.saved !== null) yield* context.saved.refuse(error.code);
          else {
            words[0] = error.code;
            answerCount = 1;
          }
        }
      }
    }

    if (answerCount > 0 && answerCapabilities > 0 && outgoing.leaves) {
      // Not in one trap with the next receive: what was given away must not stay here while nobody calls.
      window.close(sys);
      const leaving = outgoing.leaving(answerCapabilities);
      yield replyWith(sys, answerCount, outgoing, answerCapabilities);
      yield* settle(sys, slots, leaving);
      answerCount = 0;
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
  if ((result === DEFERRED) !== (context.saved !== null)) {
    throw new TypeError(`${context.method}: a handler defers and returns DEFERRED, or does neither`);
  }
  if (result === DEFERRED) return 0;
  const count = encodeFields(message, sys.words, (result as Values | undefined) ?? NOTHING, outgoing);
  sys.words[0] = Err.OK;
  return count;
}
