/**
 * A console of a program's own: the host serves what the console server would, and the application has the other end as
 * streams. The program waits where nobody reads what it prints, as it does where nobody types what it reads.
 */
import { ReadableStream, type ReadableStreamDefaultController, WritableStream } from "node:stream/web";
import { Err } from "@capos/abi";
import { Console, IpcError } from "@capos/libos";
import { Input, LineJoiner, PIECE_BYTES, type Piece, Readers } from "@capos/servers";
import type { Peer } from "./peer.js";
import type { Reference } from "./reference.js";
import type { Serving } from "./serving.js";

/** Lines that are printed ahead of who reads them. */
const LINES_AHEAD = 64;
/** Requests of its threads that wait for lines, or to print some. */
const OUTSTANDING = 256;
/** Its lines are all of one program: of whoever it gave its console to as well. */
const BADGE = 0;

/** The far end of a program's console. */
export interface ConsoleStreams {
  /** The lines that it prints, without their ends. Ends when the program has. */
  readonly readable: ReadableStream<string>;
  /**
   * What it reads: text or bytes, in which each line ends with a line break. A write waits while 4 KiB are not read yet. Closing it
   * is the end of its input.
   */
  readonly writable: WritableStream<string | Uint8Array>;
}

/** A thread that reads, and where its answer goes. */
interface Reader {
  readonly badge: number;
  readonly thread: number;
  answer(piece: Piece): void;
  refuse(error: IpcError): void;
}

export class OwnConsole {
  readonly streams: ConsoleStreams;
  readonly #joiner = new LineJoiner();
  readonly #input = new Input(PIECE_BYTES);
  readonly #readers = new Readers<Reader>();
  #serving: Serving | null = null;
  #hasEnded = false;
  #output!: ReadableStreamDefaultController<string>;
  /** Whoever reads the lines wants no more. */
  #isCancelled = false;
  /** Wake whoever waits until lines are taken, or what was written is read. */
  #onPull: (() => void)[] = [];
  #onRead: (() => void)[] = [];

  constructor(private readonly peer: Peer) {
    const readable = new ReadableStream<string>(
      {
        start: (controller) => {
          this.#output = controller;
        },
        pull: () => wakeAll(this.#onPull),
        cancel: () => {
          this.#isCancelled = true;
          wakeAll(this.#onPull);
        },
      },
      { highWaterMark: LINES_AHEAD },
    );
    const encoder = new TextEncoder();
    const writable = new WritableStream<string | Uint8Array>({
      write: async (chunk) => {
        this.#input.push(Array.from(typeof chunk === "string" ? encoder.encode(chunk) : chunk));
        this.#serveReaders();
        while (this.#input.isFull && !this.#hasEnded)
          await new Promise<void>((wake) => this.#onRead.push(wake));
      },
      close: () => this.#endInput(),
      abort: () => this.#endInput(),
    });
    this.streams = Object.freeze({ readable, writable });
  }

  /** Begins to serve it; gives what the program is to have. @throws what `Peer.serve` throws */
  async serve(): Promise<Reference> {
    this.#serving = await this.peer.serve(
      Console,
      {
        write: async ({ thread, more, text }) => {
          for (const line of this.#joiner.add(BADGE, thread, text, more)) await this.#print(line.text);
        },
        read: ({ thread }) => this.#read(thread),
      },
      { outstanding: OUTSTANDING },
    );
    return this.#serving.reference;
  }

  /** The program has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#serving?.close();
    for (const { refuse } of this.#readers.end(new Set([BADGE]))) refuse(new IpcError(Err.REVOKED, "read"));
    if (!this.#isCancelled) {
      for (const { text } of this.#joiner.end(new Set([BADGE]))) this.#output.enqueue(text);
      this.#output.close();
    }
    wakeAll(this.#onPull);
    wakeAll(this.#onRead);
  }

  async #print(line: string): Promise<void> {
    while (!this.#hasEnded && !this.#isCancelled && this.#output.desiredSize! <= 0)
      await new Promise<void>((wake) => this.#onPull.push(wake));
    if (!this.#hasEnded && !this.#isCancelled) this.#output.enqueue(line);
  }

  #read(thread: number): Promise<Piece> {
    return new Promise((answer, refuse) => {
      if (this.#readers.isFullFor(BADGE)) throw new IpcError(Err.BUSY, "read");
      this.#readers.add({ badge: BADGE, thread, answer, refuse });
      this.#serveReaders();
    });
  }

  #endInput(): void {
    this.#input.end();
    this.#serveReaders();
  }

  /** Gives pieces of lines to readers until one or the other runs out. */
  #serveReaders(): void {
    for (let reader = this.#readers.next(); reader !== undefined; reader = this.#readers.next()) {
      const piece = this.#input.next();
      if (piece === null) return;
      this.#readers.served(reader, piece.more);
      reader.answer(piece);
      wakeAll(this.#onRead);
    }
  }
}

function wakeAll(waiting: (() => void)[]): void {
  for (const wake of waiting.splice(0)) wake();
}
