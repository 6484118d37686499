/**
 * Messages of declared protocols, for who is no guest: the host encodes and decodes what its bridge passes on. Values and
 * their checks are those of clients and servers on the machine.
 */
export { MAX_DESCRIPTION_PARTS, parseDescription } from "./describe.js";
export { DESCRIBE, describedPart, writeDescription } from "./describe-method.js";
export { FieldKind } from "./fields.js";
export { decodeFields, encodeFields, type Message, type Values } from "./message.js";
export type { MethodEntry, MethodShape, Methods } from "./method.js";
export { Departure, Outgoing } from "./outgoing.js";
