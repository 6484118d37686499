/**
 * Bytes in bulk, as streams: methods that take or give a piece of them, called one after the other. So they arrive in
 * order, and whichever side is slower holds the other back. A piece without bytes is the end.
 */
import { ReadableStream, WritableStream } from "node:stream/web";
import { inRange } from "../ranges.js";

/** Bytes that fit one message beside little else. */
const PIECE_BYTES = 360;
const MAX_PIECE_BYTES = 372;

/**
 * A stream of what a method gives: `readableOf(() => file.read())`. It is called when a piece is wanted, and not again
 * before it has answered. What the call rejects with, the stream fails with.
 */
export function readableOf(
  read: () => Promise<{ readonly data: ArrayLike<number> }>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { data } = await read();
        if (data.length > 0) controller.enqueue(Uint8Array.from(data));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * A stream into a method: `writableOf((request) => file.write(request))`. What is written goes in pieces of at most
 * `pieceBytes`, 1 to 372, 360 unless told: as many as the field holds. Closing it gives an empty piece.
 * @throws UsageError if a piece cannot be of that size
 */
export function writableOf(
  write: (request: { readonly data: Uint8Array }) => Promise<unknown>,
  pieceBytes: number = PIECE_BYTES,
): WritableStream<Uint8Array> {
  inRange("pieceBytes", pieceBytes, 1, MAX_PIECE_BYTES);
  return new WritableStream<Uint8Array>({
    async write(bytes) {
      for (let at = 0; at < bytes.length; at += pieceBytes)
        await write({ data: bytes.subarray(at, at + pieceBytes) });
    },
    async close() {
      await write({ data: new Uint8Array() });
    },
  });
}
