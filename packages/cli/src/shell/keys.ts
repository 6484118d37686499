/** What is typed at a terminal, a character at a time. */
import process from "node:process";
import { Transform, type TransformCallback } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * Standard input as readline reads it right. Of characters that come at once, as a paste or on a busy host, it would put all but the last
 * at the line's end, wherever the cursor is, and would go on with those behind a Tab before that is completed.
 */
export class Keys extends Transform {
  readonly isTTY = true;
  readonly #decoder = new StringDecoder("utf8");

  constructor() {
    super({ readableObjectMode: true });
    process.stdin.pipe(this);
  }

  get isRaw(): boolean {
    return process.stdin.isRaw;
  }

  setRawMode(isRaw: boolean): this {
    process.stdin.setRawMode(isRaw);
    return this;
  }

  override _transform(bytes: Buffer, _: BufferEncoding, done: TransformCallback): void {
    for (const character of this.#decoder.write(bytes)) this.push(character);
    done();
  }

  /** Reads nothing any more, which lets the process end. */
  close(): void {
    process.stdin.unpipe(this);
    process.stdin.pause();
  }
}
