/** What the host serves: requests of guests to handlers of the application's, and their answers back. */
import { Err, MAX_MESSAGE_WORDS } from "@capos/abi";
import { IpcError } from "@capos/libos";
import { describedPart, type MethodEntry, type Values, writeDescription } from "@capos/libos/wire";
import { report } from "../callbacks.js";
import { decode, type Encoded, encode } from "./messages.js";
import type { OpenRequest, PeerContext } from "./open-request.js";
import type { Reference } from "./reference.js";
import type { RawMessage, Session } from "./session.js";
import { Turns } from "./turns.js";

export type AnyHandler = (request: Values, context: PeerContext) => unknown;

const NOTHING: Values = Object.freeze({});
/** Used up at once each. */
const words = new Float64Array(MAX_MESSAGE_WORDS);

/** A protocol that the host serves, until `close`. */
export class Serving {
  readonly #turns: Turns;
  readonly #open = new Set<OpenRequest>();
  #isClosed = false;
  #reference: Reference | null = null;

  /** @internal Use `CaposMachine.serve`. */
  constructor(
    /** Empty: none. */
    readonly name: string,
    private readonly methods: readonly MethodEntry[],
    private readonly description: string,
    private readonly handlers: Readonly<Record<string, AnyHandler>>,
    outstanding: number,
    private readonly onClose: (serving: Serving) => void,
  ) {
    this.#turns = new Turns(outstanding);
  }

  /** Guests can call it through this. After the bridge's end there is another one, of the next. */
  get reference(): Reference {
    return this.#reference!;
  }

  /** Guests can call it from now on. @internal */
  open(reference: Reference): void {
    this.#reference?.close();
    this.#reference = reference;
  }

  /** Takes the name back: whoever calls is answered `REVOKED` or `BAD_CAP` from now on. What is being answered may end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const open of this.#open) open.end(new IpcError(Err.REVOKED, this.name || "serve"));
    this.#reference?.close();
    this.onClose(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Answers a request. @internal */
  async take(session: Session, request: number, message: RawMessage): Promise<void> {
    const entry = this.methods.find(({ word0 }) => word0 === message.words[0]);
    const open = session.open(request, entry?.request.title ?? "describe");
    this.#open.add(open);
    await this.#turns.take();
    try {
      const answer = await this.#answer(session, entry, message, open);
      session.answer(request, answer);
      // Behind it: the bridge does what it is told in this order.
      for (const moved of answer.moved) moved.close();
    } finally {
      this.#open.delete(open);
      this.#turns.give();
    }
  }

  async #answer(
    session: Session,
    entry: MethodEntry | undefined,
    message: RawMessage,
    open: OpenRequest,
  ): Promise<Encoded> {
    // While it waited for its turn.
    if (open.isOver) {
      session.drop(message.capabilities);
      return refusal(open.code);
    }
    const part = describedPart(message.words, message.words.length, message.capabilities.length);
    if (part >= 0) {
      const count = writeDescription(words, this.description, part);
      return { capabilities: [], words: Array.from(words.subarray(0, count)), moved: [] };
    }
    if (entry === undefined) {
      session.drop(message.capabilities);
      return refusal(Err.UNSUPPORTED);
    }
    const values = decode(session, entry.request, message, (own) => own);
    if (values === null) return refusal(Err.RANGE);
    try {
      const answer = (await this.handlers[entry.name]!(values, open.context(entry.name))) ?? NOTHING;
      return encode(session, entry.reply, Err.OK, answer as Values);
    } catch (error) {
      if (error instanceof IpcError) return refusal(error.code);
      if (open.isReason(error)) return refusal(open.code);
      // What a guest's server would have ended with: whoever called is told so, the application learns the rest.
      report(error);
      return refusal(Err.PEER_DIED);
    }
  }
}

function refusal(code: number): Encoded {
  return { capabilities: [], words: [code], moved: [] };
}
