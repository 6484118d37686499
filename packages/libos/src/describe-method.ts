/**
 * The request that every server answers beside those of its protocol: what that protocol is. See `describe.ts`.
 */
import { Err, type Words } from "@capos/abi";
import { text, u16 } from "./fields.js";
import { encodeFields, placeFields } from "./message.js";
import type { MethodEntry } from "./method.js";
import { Outgoing } from "./outgoing.js";
import { splitText } from "./text.js";

/** No protocol's requests begin with it, for its id would be 0, and no method of a kernel object has it. */
const WORD0 = 0xff;

/** A part of the description, which is a text, by its index from 0 on; `RANGE` behind the last. */
export const DESCRIBE: MethodEntry = /* @__PURE__ */ Object.freeze({
  name: "describe",
  word0: WORD0,
  needs: 0,
  request: /* @__PURE__ */ placeFields("describe", { index: u16 }, false),
  reply: /* @__PURE__ */ placeFields("describe", { parts: u16, text }, true),
});

/** Words of a request to describe. */
const REQUEST_WORDS = 2;

/** The index of the part that a message asks for; -1 if it is no such request. */
export function describedPart(words: Words, count: number, arrived: number): number {
  return count === REQUEST_WORDS && arrived === 0 && words[0] === WORD0 ? words[1] : -1;
}

/** Writes a part of a description as an answer; gives its words. */
export function writeDescription(words: Words, description: string, index: number): number {
  const parts = splitText(description, DESCRIBE.reply.fields[1].max);
  const part = parts[index];
  if (part === undefined) {
    words[0] = Err.RANGE;
    return 1;
  }
  const count = encodeFields(DESCRIBE.reply, words, { parts: parts.length, text: part }, new Outgoing());
  words[0] = Err.OK;
  return count;
}
