/**
 * The console server: lines between guests and whoever sits at the machine.
 *
 * Lines go out whole, one after the other: a writer waits until the device has taken its line, and
 * nobody else's gets in between. Lines come in to whoever reads, first come first served. The device is asked
 * for bytes when a reader waits and no line for it is here, and no further: what nobody reads stays with the host.
 */
import { Err, type Sys } from "@capos/abi";
import {
  Console,
  DEFERRED,
  IpcError,
  irq,
  port as portOf,
  type SavedReply,
  type Steps,
  thread,
} from "@capos/libos";
import { Input, PIECE_BYTES, type Piece } from "./console/input.js";
import { type Reader, Readers } from "./console/readers.js";
import { consoleLabel } from "./console-label.js";
import { endedOf, identify } from "./registry.js";
import { given } from "./service/given.js";
import { type Line, LineJoiner } from "./service/line-joiner.js";
import { Output } from "./service/output.js";
import { ServiceSignal } from "./system.js";

interface SavedReader extends Reader {
  readonly reply: SavedReply<Piece>;
}

export default function* main(sys: Sys): Generator<number, number, number> {
  const { endpoint, port, interrupt, notification, registry, slots, thread: self } = given(sys, "console");
  const output = new Output(sys, port, notification);
  const joiner = new LineJoiner();
  const input = new Input(PIECE_BYTES);
  const readers = new Readers<SavedReader>();
  /** What the lines of a process begin with, by its badge. */
  const labels = new Map<number, string>();
  /** A piece whose reader was gone: the next reader's. */
  let refused: Piece | null = null;

  function* writeLines(lines: readonly Line[]): Steps<void> {
    for (const { badge, text } of lines) {
      const label = labels.get(badge) ?? "";
      yield* output.write(`${label}${label === "" ? text : text.replaceAll("\n", `\n${label}`)}\n`);
    }
  }

  /** Learns what the lines of a process begin with: now, while it lives. */
  function* learnLabel(badge: number): Steps<void> {
    if (labels.has(badge)) return;
    const who = yield* identify(sys, registry, slots, badge);
    labels.set(badge, who?.labelled === true ? consoleLabel(who.name) : "");
  }

  /** The next piece of what was typed; null if the device has no more of it now. */
  function* nextPiece(): Steps<Piece | null> {
    for (;;) {
      const piece = input.next();
      if (piece !== null) return piece;
      const bytes = yield* portOf.read(sys, port);
      if (bytes === null) input.end();
      else if (bytes.length > 0) input.push(bytes);
      else return null;
    }
  }

  /** Gives lines to readers until one or the other runs out. */
  function* serveReaders(): Steps<void> {
    for (let reader = readers.next(); reader !== undefined; reader = readers.next()) {
      const piece: Piece | null = refused ?? (yield* nextPiece());
      if (piece === null) return;
      const taken = yield* give(reader, piece);
      refused = taken ? null : piece;
      readers.served(reader, taken && piece.more);
    }
  }

  /** False if the reader is not there any more. */
  function* give({ reply }: SavedReader, piece: Piece): Steps<boolean> {
    try {
      yield* reply.answer(piece);
      return true;
    } catch (error) {
      if (error instanceof IpcError) return false;
      throw error;
    }
  }

  function* forgetEnded(): Steps<void> {
    const ended = yield* endedOf(sys, registry, slots, [
      ...readers.badges(),
      ...joiner.badges(),
      ...labels.keys(),
    ]);
    for (const { reply } of readers.end(ended)) yield* reply.refuse(Err.PEER_DIED);
    yield* writeLines(joiner.end(ended));
    for (const badge of ended) labels.delete(badge);
  }

  function* attend(bits: number): Steps<void> {
    for (let now = bits; now !== 0; now = output.takeMissed()) {
      // First: a line must not go to a reader that is gone.
      if ((now & ServiceSignal.ENDED) !== 0) yield* forgetEnded();
      yield* serveReaders();
    }
  }

  yield* irq.bind(sys, interrupt, notification);
  yield* thread.bind(sys, self, notification);
  yield* Console.serve(
    sys,
    endpoint,
    {
      *write({ thread, more, text }, { badge }) {
        yield* learnLabel(badge);
        yield* writeLines(joiner.add(badge, thread, text, more));
        yield* attend(output.takeMissed());
        return {};
      },
      *read({ thread }, context) {
        const { badge } = context;
        if (readers.isFullFor(badge)) throw new IpcError(Err.BUSY, "read");
        readers.add({ badge, thread, reply: yield* context.defer() });
        yield* serveReaders();
        return DEFERRED;
      },
    },
    { slots, onNotification: attend },
  );
  return 0;
}
