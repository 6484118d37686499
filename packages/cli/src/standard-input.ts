/**
 * Standard input, read when somebody asks and no further: what is not asked for stays for whoever shares it (a shell's
 * `while read` loop, the next command of a script). It is not even opened before: that could change how others see it.
 */
import { fstatSync, read } from "node:fs";
import { Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { promisify } from "node:util";
import type { Input } from "./session.js";

const STDIN = 0;
/** Bytes of one reading. */
const CHUNK = 16_384;

interface Source {
  read(): Promise<Uint8Array | null>;
  close(): void;
}

export class StandardInput implements Input {
  #source: Source | null = null;
  #isClosed = false;

  /** @param onError told of an error, which is the end of the input */
  constructor(private readonly onError: (error: Error) => void) {}

  readonly read = async (): Promise<Uint8Array | null> => {
    if (this.#isClosed) return null;
    try {
      this.#source ??= open();
      return await this.#source.read();
    } catch (error) {
      this.onError(error as Error);
      return null;
    }
  };

  close(): void {
    this.#isClosed = true;
    this.#source?.close();
  }
}

function open(): Source {
  const status = fstatSync(STDIN);
  if (isatty(STDIN) || status.isFIFO() || status.isSocket()) return new StreamSource();
  return {
    async read() {
      const { bytesRead, buffer } = await promisify(read)(STDIN, Buffer.alloc(CHUNK), 0, CHUNK, null);
      return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
    },
    close() {},
  };
}

/** A pipe, a socket, a terminal: between two readings the stream is stopped, and holds nothing. */
class StreamSource implements Source {
  readonly #stream: Socket;
  #take: ((bytes: Uint8Array | null) => void) | null = null;
  #refuse: (error: Error) => void = () => {};
  #isOver = false;

  constructor() {
    const options = {
      fd: STDIN,
      readable: true,
      writable: false,
      manualStart: true,
      onread: {
        buffer: Buffer.alloc(CHUNK),
        callback: (count: number, buffer: Uint8Array) => {
          this.#give(Uint8Array.from(buffer.subarray(0, count)));
          // Stops the reading.
          return false;
        },
      },
    };
    this.#stream = isatty(STDIN) ? new ReadStream(STDIN, options) : new Socket(options);
    this.#stream.on("error", (error) => {
      this.#isOver = true;
      this.#refuse(error);
    });
    for (const end of ["end", "close"])
      this.#stream.on(end, () => {
        this.#isOver = true;
        this.#give(null);
      });
  }

  read(): Promise<Uint8Array | null> {
    if (this.#isOver) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#take = resolve;
      this.#refuse = reject;
      this.#stream.resume();
    });
  }

  close(): void {
    this.#stream.destroy();
  }

  #give(bytes: Uint8Array | null): void {
    this.#take?.(bytes);
    this.#take = null;
  }
}
