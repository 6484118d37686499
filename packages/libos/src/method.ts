/**
 * A method: one kind of request and the reply to it, as declared and made ready.
 *
 * An entry is frozen; client, server and decoder share it.
 */
import type { Message, Shape } from "./message.js";
import type { ObjectRight } from "./rights.js";

/** The declaration of one method. */
export interface MethodShape {
  /** The right to the object that it needs. Without one, any capability to the server will do. */
  readonly needs?: Exclude<ObjectRight, "narrow">;
  readonly request: Shape;
  readonly reply: Shape;
}

/** The declaration of a protocol's methods. At most 256. */
export interface Methods {
  readonly [method: string]: MethodShape;
}

/** A method made ready. */
export interface MethodEntry {
  readonly name: string;
  /** Word 0 of its requests. */
  readonly word0: number;
  /** The object right that it needs as a bit, or 0. */
  readonly needs: number;
  readonly request: Message;
  readonly reply: Message;
}
