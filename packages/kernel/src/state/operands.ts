/**
 * The arguments of the invocation in progress, decoded: each method's own, by the names of its declaration. What a
 * method does not declare is left from an earlier one.
 *
 * A field never changes between an integer and a double, so that a store allocates nothing.
 *
 * made by scripts/methods.mjs from packages/abi/src/methods.ts
 */
import type { SlotRef } from "./references.js";

export class Operands {
  // Integers. Of a capability that was looked up: its slot. Of a text, bytes or words: how many, and the register
  // where they begin.
  byteCount = 0;
  clear = 0;
  core = 0;
  count = 0;
  first = 0;
  from = 0 as SlotRef;
  handler = 0 as SlotRef;
  held = 0 as SlotRef;
  image = 0 as SlotRef;
  into = 0 as SlotRef;
  memory = 0 as SlotRef;
  notification = 0 as SlotRef;
  number = 0;
  payload = 0;
  priority = 0;
  process = 0 as SlotRef;
  rights = 0;
  sealer = 0 as SlotRef;
  sizeBits = 0;
  slot = 0;
  space = 0 as SlotRef;
  status = 0;
  target = 0 as SlotRef;
  threads = 0;
  type = 0;
  wordCount = 0;

  // Doubles: handles that the deed looks up, and what is beyond 32 bits.
  a = Number.NaN;
  address = Number.NaN;
  b = Number.NaN;
  badge = Number.NaN;
  c = Number.NaN;
  forNs = Number.NaN;
  kind = Number.NaN;
  object = Number.NaN;
  offset = Number.NaN;
  root = Number.NaN;
  source = Number.NaN;
  startNs = Number.NaN;
}
